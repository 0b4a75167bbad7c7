public import FlowIO

/// The name of the model that a file holds.
public enum ModelFile {
  /// The metadata key; a file without it holds a `ContinuousFlow`.
  static let modelKey = "swift_cnf.model"
  /// The name of a `ContinuousFlow`.
  public static let continuousFlow = "flow"

  /// The name of the model that `file` holds.
  public static func model(in file: SafetensorsFile) -> String {
    file.metadata[modelKey] ?? continuousFlow
  }

  /// - Throws: `FlowFileError.metadata` if `file` holds another model than `expected`.
  static func check(_ file: SafetensorsFile, holds expected: String) throws(FlowFileError) {
    let found = model(in: file)
    guard found == expected else {
      throw .metadata(path: file.source, key: modelKey, problem: "it is of a model '\(found)', not '\(expected)'")
    }
  }
}
