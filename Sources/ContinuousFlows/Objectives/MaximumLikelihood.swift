/// Maximum likelihood of a continuous flow: minimises the mean of −log p(x), or −log p(x|c) if it is conditional, by
/// solves from the data to the base: −log p₀(z(0)) + ∫₀ᵀ tr(∂f/∂z) dt (Chen et al. 2018, arXiv 1806.07366, theorem 1;
/// Grathwohl et al. 2019, arXiv 1810.01367).
public struct MaximumLikelihood: TrainingObjective {
  private let solver: any FieldSolver<Float>
  private let evaluationSolver: any FieldSolver<Float>
  private let regularisation: Regularisation
  private let endTimeJitter: Double

  /// - Parameters:
  ///   - flow: the model that will be trained; its parameter values are not used.
  ///   - options: its solvers, regularisers and backend are used.
  /// - Throws: `TrainingError.invalidOption` for a trace without divergence, or a base whose density is zero somewhere;
  ///   `KernelError` for a refused solver.
  public init(flow: ContinuousFlow, options: TrainingOptions) throws {
    try options.validateLikelihood()
    try TrainingError.checkForLikelihood(flow.base)
    guard (0..<flow.endTime).contains(options.endTimeJitter) else {
      throw TrainingError.invalidOption(
        name: "endTimeJitter", value: "\(options.endTimeJitter)",
        allowed: "at least 0 and below the end time, \(flow.endTime)")
    }
    let program = flow.program
    solver = try makeSolver(
      program: program, options: options.regularisedSolver.sparingDivergence(of: program), backend: options.backend)
    evaluationSolver = try makeSolver(
      program: program, options: options.evaluationSolver.sparingDivergence(of: program), backend: options.backend)
    regularisation = options.regularisation
    endTimeJitter = options.endTimeJitter
  }

  /// The problem shares the parameter array. It is released on return, so that the optimiser changes the array in
  /// place.
  public func gradient(of batch: TrainingBatch, model: ContinuousFlow) throws -> BatchGradient {
    let problem = SolveProblem(
      parameters: model.parameters, states: batch.states, from: model.endTime, to: end(of: batch), seed: batch.seed,
      step: UInt64(batch.step), sampleIdentifiers: batch.identifiers, context: batch.context,
      dropoutIsActive: true)
    let count = Double(batch.count)
    let gradient = try solver.gradient(
      of: model.base.negativeLogLikelihood(dimension: model.dimension, scale: 1 / count),
      regularisation: model.base.regularisation(regularisation, scale: 1 / count), at: problem)
    try TrainingError.check(gradient.solution, of: batch)
    return BatchGradient(
      ofLikelihood: gradient.parameters, losses: gradient.losses,
      kineticEnergies: gradient.solution.kineticEnergies, frobeniusNorms: gradient.solution.frobeniusNorms,
      evaluations: gradient.solution.evaluations, regularisation: regularisation, batch: batch,
      endTime: gradient.startTimes.reduce(0, +))
  }

  /// The end time of this step's solves: 0, or a random time near 0, keyed by (seed, step).
  func end(of batch: TrainingBatch) -> Double {
    guard endTimeJitter > 0 else { return 0 }
    let source = RandomSource(seed: batch.seed, stream: .endTime, step: UInt64(batch.step))
    return endTimeJitter * (2 * source.uniform(sample: 0, dimension: 0) - 1)
  }

  public func evaluate(_ model: ContinuousFlow, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try model.evaluate(on: dataset, by: evaluationSolver, seed: seed)
  }
}
