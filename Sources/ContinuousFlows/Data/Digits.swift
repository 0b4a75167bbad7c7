import FieldPrograms
import FlowIO
import Foundation

/// The 1,797 handwritten digits of 8×8 pixels that ship with the project; `Resources/README.md` names their source.
public enum Digits {
  public static let name = "digits"
  public static let summary = "handwritten digits of 8×8 pixels in 17 levels of grey; real data, ships with the project"
  public static let count = 1797
  public static let height = 8
  public static let width = 8
  public static var dimension: Int { height * width }
  /// Grey levels run from 0 (paper) to 16 (ink).
  public static let levels = 17
  /// Size of the test part; 1,437 digits are left for training and validation.
  public static let testCount = 360
  /// Size of the validation part, a twentieth of those 1,437: a tenth costs the flow more than half a nat.
  public static let validationCount = 72

  private static let bundle = "swift-cnf_ContinuousFlows.resources"

  /// Loads the levels `[1797][64]`, with labels.
  public static func load() throws -> Dataset {
    let images = try NumPyFile.read(try path(of: "digits.npy"))
    let labels = try NumPyFile.read(try path(of: "digits-labels.npy")).integers() ?? []
    guard images.shape == [count, dimension], labels.count == count, labels.allSatisfy({ 0..<10 ~= $0 }) else {
      throw missing
    }
    return Dataset(
      name: name, samples: SampleMatrix(count: count, dimension: dimension, values: images.doubles()),
      quantisation: Quantisation(levels: levels), labels: labels.map { UInt8($0) })
  }

  /// The path in the package's bundle, which lies next to the program in builds and installations. The accessor that
  /// the build generates is not used, because it aborts the process if it finds nothing.
  private static func path(of file: String) throws -> String {
    let path = Bundle.main.bundleURL.appendingPathComponent("\(bundle)/Resources/\(file)").path
    guard FileManager.default.fileExists(atPath: path) else { throw missing }
    return path
  }

  private static var missing: DataError { .resource("the digits data set (\(bundle))") }
}
