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
  /// A twentieth of those 1,437: a tenth costs the flow more than half a nat.
  public static let validationCount = 72

  private static let bundle = "swift-cnf_ContinuousFlows.resources"

  /// The levels `[1797][64]`, with labels.
  public static func load() throws -> Dataset {
    let images = try NumPyFile.read(try path(of: "digits.npy"))
    let labels = try NumPyFile.read(try path(of: "digits-labels.npy")).integers() ?? []
    guard images.shape == [count, dimension], labels.count == count, labels.allSatisfy({ 0..<10 ~= $0 }) else {
      throw missing
    }
    return Dataset(
      name: name, points: SampleMatrix(count: count, dimension: dimension, values: images.floats()),
      quantisation: Quantisation(levels: levels), labels: labels.map { UInt8($0) })
  }

  /// In the package's bundle, which builds and installations have beside the program. The accessor that the build
  /// generates is not used: it aborts the process where it finds nothing.
  private static func path(of file: String) throws -> String {
    let path = Bundle.main.bundleURL.appendingPathComponent("\(bundle)/Resources/\(file)").path
    guard FileManager.default.fileExists(atPath: path) else { throw missing }
    return path
  }

  private static var missing: DataError { .resource("the digits data set (\(bundle))") }
}
