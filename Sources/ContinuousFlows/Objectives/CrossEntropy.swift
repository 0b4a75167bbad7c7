/// Cross-entropy of a classifier: the mean over samples of −log of the probability of the sample's class, in nats, with
/// the softmax of the outputs as probabilities (Bishop 2006, Pattern Recognition and Machine Learning, section 4.3.4).
public struct CrossEntropy: TrainingObjective {
  private let objective: OutputObjective
  private let labels: [Int]

  /// - Parameters:
  ///   - model: the model that will be trained; its parameter values are not used.
  ///   - training: the set that batches are taken from; it must have labels.
  ///   - options: its solvers and backend are used.
  /// - Throws: `DataError.noLabels`, `.labelOutOfRange`; `TrainingError.invalidOption` for regularisers; `KernelError`
  ///   for a refused solver. A model of another task is a precondition failure.
  public init(model: NeuralODEModel, training: Dataset, options: TrainingOptions) throws {
    precondition(model.task == .classification, "cross-entropy of a model that does not classify")
    labels = try training.checkedLabels(classes: model.outputDimension)
    objective = try OutputObjective(model, options)
  }

  public func gradient(of batch: TrainingBatch, model: NeuralODEModel) throws -> BatchGradient {
    let loss = OutputLoss<Float>.crossEntropy(labels: batch.rows.map { labels[$0] }, scale: 1 / Double(batch.count))
    return try objective.gradient(of: loss, isLikelihood: true, on: batch, model)
  }

  public func evaluate(_ model: NeuralODEModel, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try objective.evaluate(model, on: dataset)
  }
}
