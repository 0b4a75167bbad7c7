/// The report of one validation.
public struct ValidationReport: Sendable, Equatable {
  /// Steps taken.
  public let step: Int
  public let result: EvaluationResult
  /// Whether it is better than all validations before.
  public let isBest: Bool
  public let seconds: Double
}
