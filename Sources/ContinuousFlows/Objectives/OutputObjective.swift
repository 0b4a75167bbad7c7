/// The common part of objectives of models with outputs: two networks, and the gradient of a loss of the outputs.
struct OutputObjective {
  private let network: NeuralODENetwork<Float>
  private let evaluationNetwork: NeuralODENetwork<Float>

  /// - Throws: `TrainingError.invalidOption` for regularisers or a random end time, which only flows have;
  ///   `KernelError` for a refused solver.
  init(_ model: NeuralODEModel, _ options: TrainingOptions) throws {
    try options.refuseRegularisation("for a model that is no flow")
    try options.refuseEndTimeJitter("for a model that is no flow")
    network = try NeuralODENetwork(
      model.architecture, options: model.solverOptions(options.solver), backend: options.backend)
    evaluationNetwork = try NeuralODENetwork(
      model.architecture, options: model.solverOptions(options.evaluationSolver), backend: options.backend)
  }

  /// - Parameters:
  ///   - loss: a mean over the batch.
  ///   - isLikelihood: whether the loss is a negative log-likelihood in nats.
  func gradient(
    of loss: OutputLoss<Float>, isLikelihood: Bool, on batch: TrainingBatch, _ model: NeuralODEModel
  ) throws -> BatchGradient {
    let gradient = try network.gradient(
      of: loss, at: batch.states, parameters: model.parameters,
      randomness: .init(
        seed: batch.seed, step: UInt64(batch.step), identifiers: batch.identifiers, dropoutIsActive: true))
    try TrainingError.check(gradient.solution, of: batch)
    let evaluations = gradient.solution.evaluations.reduce(0, +)
    let mean = gradient.losses.reduce(0, +)
    return BatchGradient(
      parameters: gradient.parameters, loss: mean, nllNats: isLikelihood ? mean : nil,
      evaluationsMean: Double(evaluations) / Double(batch.count))
  }

  func evaluate(_ model: NeuralODEModel, on dataset: Dataset) throws -> EvaluationResult {
    try model.evaluate(on: dataset, by: evaluationNetwork)
  }
}
