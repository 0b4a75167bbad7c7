/// Why a run of training is over.
public enum TrainingEnding: String, Sendable {
  /// All steps are taken.
  case steps
  /// All seconds are spent.
  case seconds
  /// Validation has not become better for as long as patience lasts.
  case patience
  /// Somebody asked for it; the run can be resumed.
  case interruption
}
