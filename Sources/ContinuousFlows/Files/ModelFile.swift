public import FlowIO

/// What a file says of which model it holds.
public enum ModelFile {
  /// The metadata key; a file without it holds a `ContinuousFlow`.
  static let modelKey = "swift_cnf.model"
  /// What stands for a `ContinuousFlow` where a word is wanted.
  public static let continuousFlow = "flow"

  /// The word for the model that `file` holds.
  public static func model(in file: SafetensorsFile) -> String {
    file.metadata[modelKey] ?? continuousFlow
  }

  /// - Throws: `FlowFileError.metadata` where `file` holds another model than `expected`.
  static func check(_ file: SafetensorsFile, holds expected: String) throws(FlowFileError) {
    let found = model(in: file)
    guard found == expected else {
      throw .metadata(path: file.source, key: modelKey, problem: "it is of a model '\(found)', not '\(expected)'")
    }
  }
}
