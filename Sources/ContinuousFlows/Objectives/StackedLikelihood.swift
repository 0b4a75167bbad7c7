/// Maximum likelihood of a stacked flow: as `MaximumLikelihood`, with the same bits for one block. Regularisers are
/// summed over the blocks; each block has its own dropout masks.
public struct StackedLikelihood: TrainingObjective {
  private let solver: StackedSolver<Float>
  private let evaluationSolver: StackedSolver<Float>
  private let regularisation: Regularisation

  /// - Parameters:
  ///   - model: the model that will be trained; its parameter values are not used.
  ///   - options: its solvers, regularisers and backend are used.
  /// - Throws: `TrainingError.invalidOption` for a trace without divergence, a base whose density is zero somewhere, or
  ///   a random end time; `KernelError` for a refused solver.
  public init(model: StackedFlow, options: TrainingOptions) throws {
    try options.validateLikelihood()
    try TrainingError.checkForLikelihood(model.base)
    try options.refuseEndTimeJitter("for a stacked flow, whose blocks meet at their ends")
    solver = try StackedSolver(of: model, options: options.regularisedSolver, backend: options.backend)
    evaluationSolver = try StackedSolver(of: model, options: options.evaluationSolver, backend: options.backend)
    regularisation = options.regularisation
  }

  public func gradient(of batch: TrainingBatch, model: StackedFlow) throws -> BatchGradient {
    let gradient = try solver.likelihoodGradient(
      .init(
        parameters: model.parameters, states: batch.states, seed: batch.seed, step: UInt64(batch.step),
        identifiers: batch.identifiers, dropoutIsActive: true),
      base: model.base, scale: 1 / Double(batch.count), regularisation: regularisation
    ) { try TrainingError.check($0, of: batch) }
    return BatchGradient(
      ofLikelihood: gradient.parameters, losses: gradient.losses, kineticEnergies: gradient.kineticEnergies,
      frobeniusNorms: gradient.frobeniusNorms, evaluations: gradient.evaluations, regularisation: regularisation,
      batch: batch)
  }

  public func evaluate(_ model: StackedFlow, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try model.evaluate(on: dataset, by: evaluationSolver, seed: seed)
  }
}
