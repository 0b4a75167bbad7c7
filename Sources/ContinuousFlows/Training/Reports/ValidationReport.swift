/// One validation.
public struct ValidationReport: Sendable, Equatable {
  /// Steps taken.
  public let step: Int
  public let result: EvaluationResult
  /// Whether no validation before was better.
  public let isBest: Bool
  public let seconds: Double
}
