/// Least squares of a regression: the mean of (output − target)² over samples and outputs, with targets as the model
/// transforms them. Up to a factor it is the negative log-likelihood of normal noise (Bishop 2006, Pattern Recognition
/// and Machine Learning, section 3.1.1).
public struct SquaredError: TrainingObjective {
  private let objective: OutputObjective
  /// The transformed targets, `[count][K]`.
  private let targets: StateMatrix

  /// - Parameters:
  ///   - model: the model that will be trained; its parameter values are not used.
  ///   - training: the set that batches are taken from; it must have targets.
  ///   - options: its solvers and backend are used.
  /// - Throws: `DataError.noTargets`, `.targetColumns`; `TrainingError.invalidOption` for regularisers; `KernelError`
  ///   for a refused solver. A model of another task is a precondition failure.
  public init(model: NeuralODEModel, training: Dataset, options: TrainingOptions) throws {
    guard case .regression(let transform) = model.task else {
      preconditionFailure("squared error of a model that is no regression")
    }
    let targets = try training.checkedTargets(columns: model.outputDimension)
    self.targets = StateMatrix(
      count: targets.count, dimension: targets.dimension, values: transform.forward(targets.values))
    objective = try OutputObjective(model, options)
  }

  public func gradient(of batch: TrainingBatch, model: NeuralODEModel) throws -> BatchGradient {
    let loss = OutputLoss<Float>.squaredError(targets: targets.rows(batch.rows).values, scale: 1 / Double(batch.count))
    return try objective.gradient(of: loss, isLikelihood: false, on: batch, model)
  }

  public func evaluate(_ model: NeuralODEModel, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try objective.evaluate(model, on: dataset)
  }
}
