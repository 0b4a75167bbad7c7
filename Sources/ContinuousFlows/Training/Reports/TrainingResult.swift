/// What a run of training came to.
public struct TrainingResult<Model: TrainableModel>: Sendable {
  /// The model of the best validation; without validation data, the last.
  public let model: Model
  public let ending: TrainingEnding
  /// Steps taken, those before a resumption included.
  public let steps: Int
  /// Seconds spent, those before a resumption included.
  public let seconds: Double
  /// The step whose weights `model` has.
  public let bestStep: Int
  /// The best validation; nil where there was none.
  public let validation: EvaluationResult?
}

extension TrainingResult where Model == ContinuousFlow {
  /// `model`.
  public var flow: ContinuousFlow { model }
}
