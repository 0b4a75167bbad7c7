/// The result of a training run.
public struct TrainingResult<Model: TrainableModel>: Sendable {
  /// The model of the best validation; the last model if there are no validation data.
  public let model: Model
  public let ending: TrainingEnding
  /// Steps taken, including those before the run was resumed.
  public let steps: Int
  /// Seconds spent, including those before the run was resumed.
  public let seconds: Double
  /// The step whose weights `model` has.
  public let bestStep: Int
  /// The best validation; nil if there was none.
  public let validation: EvaluationResult?
}

extension TrainingResult where Model == ContinuousFlow {
  /// `model`.
  public var flow: ContinuousFlow { model }
}
