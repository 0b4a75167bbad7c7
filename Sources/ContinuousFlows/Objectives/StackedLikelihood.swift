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
    let count = Double(batch.count)
    let gradient = try solver.likelihoodGradient(
      .init(
        parameters: model.parameters, states: batch.states, seed: batch.seed, step: UInt64(batch.step),
        identifiers: batch.identifiers, dropoutIsActive: true),
      base: model.base, scale: 1 / count, regularisation: regularisation
    ) { try TrainingError.check($0, of: batch) }
    let loss = gradient.losses.reduce(0, +)
    let kinetic = gradient.kineticEnergies.isEmpty ? nil : gradient.kineticEnergies.reduce(0, +) / count
    let frobenius = gradient.frobeniusNorms.isEmpty ? nil : gradient.frobeniusNorms.reduce(0, +) / count
    let penalty =
      regularisation.kineticEnergy * (kinetic ?? 0) + regularisation.frobeniusNorm * (frobenius ?? 0)
    return BatchGradient(
      parameters: gradient.parameters, loss: loss,
      nllNats: loss - penalty - batch.logDeterminants.reduce(0, +) / count, kineticEnergy: kinetic,
      frobeniusNorm: frobenius, evaluationsMean: Double(gradient.evaluations.reduce(0, +)) / count)
  }

  public func evaluate(_ model: StackedFlow, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try model.evaluate(on: dataset, by: evaluationSolver, seed: seed)
  }
}
