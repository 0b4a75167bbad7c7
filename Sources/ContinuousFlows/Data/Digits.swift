import FieldPrograms
import FlowIO
import Foundation

/// The 1,797 handwritten digits of 8×8 pixels that ship with the project; `Resources/README.md` says where they are from.
public enum Digits {
  public static let name = "digits"
  public static let summary = "handwritten digits of 8×8 pixels in 17 levels of grey; real data, ships with the project"
  public static let count = 1797
  public static let height = 8
  public static let width = 8
  public static var dimension: Int { height * width }
  /// Grey is counted from 0 (paper) to 16 (ink).
  public static let levels = 17
  /// Held out for the final figure: 1,437 are left to train and validate with.
  public static let testCount = 360
  /// A tenth of those 1,437.
  public static let validationCount = 144

  /// The levels `[1797][64]`, with labels.
  public static func load() throws -> Dataset {
    let images = try NumPyFile.read(path(of: "digits.npy"))
    let labels = try NumPyFile.read(path(of: "digits-labels.npy")).integers() ?? []
    guard images.shape == [count, dimension], labels.count == count, labels.allSatisfy({ 0..<10 ~= $0 }) else {
      throw DataError.resource("the digits data set")
    }
    return Dataset(
      name: name, points: SampleMatrix(count: count, dimension: dimension, values: images.floats()),
      quantisation: Quantisation(levels: levels), labels: labels.map { UInt8($0) })
  }

  /// Beside the program, where builds and installations have it, or where the build left it.
  private static func path(of file: String) -> String {
    let bundle = "swift-cnf_ContinuousFlows.resources"
    let beside = Bundle.main.bundleURL.appendingPathComponent("\(bundle)/Resources/\(file)").path
    if FileManager.default.fileExists(atPath: beside) { return beside }
    // The generated accessor aborts the process where it finds nothing, so it is asked last.
    return Bundle.module.bundleURL.appendingPathComponent("Resources/\(file)").path
  }
}
