/// What can go wrong between this process and a file.
///
/// `description` is one sentence fit to be shown to a user as it stands: it names the file, what is wrong with it, and
/// what to do about it.
public enum FlowIOError: Error, Equatable, Sendable {
  /// There is nothing at `path`.
  case missingFile(path: String)

  /// The operating system refused `operation` ("open", "write", "rename", …); `reason` is its own text for errno.
  case system(path: String, operation: String, reason: String)

  /// The bytes at `path` break the rules of their format.
  case malformed(path: String, problem: String, mend: String)

  /// The bytes at `path` are legal, but hold something this module does not read.
  case unsupported(path: String, problem: String, mend: String)

  /// A tensor was asked for that the file does not hold.
  case missingTensor(path: String, name: String, available: [String])

  /// A tensor or array holds elements that cannot be given as what was asked for.
  case wrongElementType(path: String, name: String, found: String, wanted: String)

  /// A line of a table has a different number of cells than the lines before it. Lines count from 1.
  case raggedRow(path: String, line: Int, found: Int, expected: Int)

  /// A cell of a table is not a number. Lines and columns count from 1.
  case notANumber(path: String, line: Int, column: Int, text: String)

  /// The name of a file does not tell its format.
  case unknownExtension(path: String, accepted: [String])
}
