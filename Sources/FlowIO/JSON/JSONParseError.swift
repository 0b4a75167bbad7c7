/// Why bytes are not a JSON document.
public struct JSONParseError: Error, Equatable, Sendable {
  /// What is wrong, as the predicate of a sentence about the text.
  public let problem: String
  /// Where, as a number of bytes from the beginning.
  public let offset: Int
}

extension JSONParseError: CustomStringConvertible {
  public var description: String { "\(problem) at byte \(offset)" }
}
