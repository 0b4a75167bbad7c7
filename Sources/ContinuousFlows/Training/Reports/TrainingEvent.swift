/// Events that the observer of a run receives.
public enum TrainingEvent: Sendable {
  case step(StepReport)
  case validation(ValidationReport)
  /// The whole state has been written.
  case checkpoint(step: Int, path: String)
}
