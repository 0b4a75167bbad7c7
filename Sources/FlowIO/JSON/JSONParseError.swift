/// The reason why a text is not a valid JSON document.
public struct JSONParseError: Error, Equatable, Sendable {
  /// What is wrong, as a phrase that continues "the text …", such as "has an unknown escape in a string".
  public let problem: String
  /// Where the problem is: the number of bytes before it.
  public let offset: Int
}

extension JSONParseError: CustomStringConvertible {
  public var description: String { "\(problem) at byte \(offset)" }
}
