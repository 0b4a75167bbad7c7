/// An error in reading or writing a file.
///
/// `description` is one sentence for the user: it names the file, what is wrong with it, and how to fix it.
public enum FlowIOError: Error, Equatable, Sendable {
  /// There is no file at `path`.
  case missingFile(path: String)

  /// The system call for `operation` ("open", "write", "rename", …) failed; `reason` is the system's text for `errno`.
  case system(path: String, operation: String, reason: String)

  /// The file at `path` violates its format; `problem` says how, and `fix` says what to do.
  case malformed(path: String, problem: String, fix: String)

  /// The file at `path` is valid but has content that this module cannot read (or the file could not be written in its
  /// format); `problem` says which, and `fix` says what to do.
  case unsupported(path: String, problem: String, fix: String)

  /// The caller asked for a tensor that is not in the file; `available` lists the tensors that are.
  case missingTensor(path: String, name: String, available: [String])

  /// The caller asked for elements of type `wanted`, to which the type `found` in the file cannot be converted.
  case wrongElementType(path: String, name: String, found: String, wanted: String)

  /// A line of a table has another number of cells than the lines before it. Lines count from 1.
  case raggedRow(path: String, line: Int, found: Int, expected: Int)

  /// A cell of a table is not a number. Lines and columns count from 1. The first line may be a header that was not
  /// taken as one, because it has numbers as well.
  case notANumber(path: String, line: Int, column: Int, text: String, isFirstLine: Bool)

  /// All cells of a line from `column` on are empty.
  case emptyLineEnd(path: String, line: Int, column: Int, separator: String)

  /// The extension of the file name is none of `accepted`, so its format is unknown.
  case unknownExtension(path: String, accepted: [String])
}
