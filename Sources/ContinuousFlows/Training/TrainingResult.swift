/// What a run of training came to.
public struct TrainingResult: Sendable {
  public enum Ending: String, Sendable {
    /// All steps are taken.
    case steps
    /// All seconds are spent.
    case seconds
    /// Validation has not become better for as long as patience lasts.
    case patience
    /// Somebody asked for it; the run can be resumed.
    case interruption
  }

  /// The flow of the best validation; without validation data, the last.
  public let flow: ContinuousFlow
  public let ending: Ending
  /// Steps taken, those before a resumption included.
  public let steps: Int
  /// Seconds spent, those before a resumption included.
  public let seconds: Double
  /// The step whose weights `flow` has.
  public let bestStep: Int
  /// The best validation; nil where there was none.
  public let validation: EvaluationResult?
}
