/// Why a training run ended.
public enum TrainingEnding: String, Sendable {
  /// All steps are taken.
  case steps
  /// All seconds are spent.
  case seconds
  /// Validation has not improved for `patience` validations.
  case patience
  /// The caller asked for it; the run can be resumed.
  case interruption
}
