/// Your own loss of the states at which a flow arrives: a closure returns each sample's loss and its gradient. Use it
/// to steer samples of the base somewhere, to fit a density known up to a factor, or to evaluate where data arrive.
///
/// Minimises the mean of the closure's losses over a batch, plus regularisers. The gradient is that of the steps taken.
/// The closure runs inside the solve, on a few samples at a time. `MaximumLikelihood` is this objective with `−(log
/// p₀(z) + log-determinant)` from the data.
///
/// ```swift
/// // To the circle of radius 2: ½ (|x| − 2)² and its gradient.
/// let objective = try StateLoss(flow: flow, from: .base, options: options) { solved, _ in
///   var cotangents = SampleCotangents(for: solved)
///   for sample in 0..<solved.count {
///     let x = solved.states[2 * sample..<2 * sample + 2]
///     let radius = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
///     cotangents.losses[sample] = 0.5 * Double((radius - 2) * (radius - 2))
///     for place in x.indices { cotangents.states[place] = (radius - 2) * solved.states[place] / radius }
///   }
///   return cotangents
/// }
/// ```
public struct StateLoss: TrainingObjective {
  /// Where samples start, and therefore where they arrive.
  public enum Origin: Sendable {
    /// Samples of the base, drawn in every step and keyed by (seed, step, identifier), go from t = 0 to T. The batch
    /// only provides identifiers and context.
    case base
    /// The batch's samples go from t = T to 0.
    case data
  }

  /// The loss of samples `solved.first`, `solved.first + 1`, … of the batch, whose `rows`, `identifiers`, `states`
  /// and `context` are indexed by these numbers. Returns each sample's loss, not divided by the batch size, and its
  /// derivatives.
  ///
  /// States are in the flow's space: from the base, `flow.transform.inverse` maps them to the data's units.
  /// Log-determinants are `log |det ∂x(arrival)/∂x(start)|`; for a solver with the trace `.none` they are 0 and must
  /// have derivative 0. The closure is called from several threads at a time, and its result for a sample must depend
  /// on that sample only. Arrays of another size than the solved samples' are a precondition failure.
  public typealias Function =
    @Sendable (_ solved: SolvedSamples<Float>, _ batch: TrainingBatch) -> SampleCotangents<Float>

  private let origin: Origin
  private let function: Function
  private let regularisation: Regularisation
  private let solver: any FieldSolver<Float>
  private let evaluationSolver: any FieldSolver<Float>
  /// The trace that was asked for. A solver may omit it if the field's divergence is known to be 0; the log-determinant
  /// is then valid.
  private let trace: Trace
  private let evaluationTrace: Trace

  /// - Parameters:
  ///   - flow: the model that will be trained; its parameter values are not used.
  ///   - options: its solvers, regularisers and backend are used. If the loss ignores log-determinants, a trace of
  ///     `.none` saves their cost.
  /// - Throws: `TrainingError.invalidOption` for a random end time, which only likelihoods have; `KernelError` for a
  ///   refused solver, such as one whose trace has no tangents for a Frobenius norm.
  public init(
    flow: ContinuousFlow, from origin: Origin, options: TrainingOptions, loss function: @escaping Function
  ) throws {
    try options.refuseEndTimeJitter("for a loss of the states at the end")
    let program = flow.program
    solver = try makeSolver(
      program: program, options: options.regularisedSolver.sparingDivergence(of: program), backend: options.backend)
    evaluationSolver = try makeSolver(
      program: program, options: options.evaluationSolver.sparingDivergence(of: program), backend: options.backend)
    trace = options.solver.trace
    evaluationTrace = options.evaluationSolver.trace
    regularisation = options.regularisation
    self.origin = origin
    self.function = function
  }

  public func gradient(of batch: TrainingBatch, model: ContinuousFlow) throws -> BatchGradient {
    let count = Double(batch.count)
    // A closure's regularisers are not scaled by the solver (see `Regularisation`).
    let scaled = Regularisation(
      kineticEnergy: regularisation.kineticEnergy / count, frobeniusNorm: regularisation.frobeniusNorm / count)
    let gradient = try solver.gradient(
      of: .function(Self.mean(of: function, over: batch, trace: trace)), regularisation: scaled,
      at: problem(batch, model, dropoutIsActive: true))
    try TrainingError.check(gradient.solution, of: batch)
    let solution = gradient.solution
    return BatchGradient(
      parameters: gradient.parameters, loss: gradient.losses.reduce(0, +),
      kineticEnergy: solution.kineticEnergies.mean, frobeniusNorm: solution.frobeniusNorms.mean,
      evaluationsMean: Double(solution.evaluations.reduce(0, +)) / count,
      endTime: (origin == .base ? gradient.endTimes : gradient.startTimes).reduce(0, +))
  }

  /// The mean of the closure's losses without regularisers, in the place of a negative log-likelihood. From the base it
  /// uses as many samples as `dataset` has. Samples whose solve fails are counted as failed.
  public func evaluate(_ model: ContinuousFlow, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: model)
    let samples = dataset.continuousSamples(seed: seed).values
    let batch = TrainingBatch(
      states: model.transform.forward(samples), logDeterminants: model.transform.logDeterminants(samples),
      identifiers: dataset.identifiers, rows: Array(0..<dataset.count), seed: seed, step: 0,
      context: model.seenContext(dataset.context?.values ?? []))
    let solution = try evaluationSolver.solve(problem(batch, model, dropoutIsActive: false))
    let solved = SolvedSamples(
      first: 0, states: solution.states, logDeterminants: solution.logDeterminants, statuses: solution.statuses)
    let cotangents = Self.checked(function(solved, batch), solved, trace: evaluationTrace)
    let values = zip(solution.statuses, cotangents.losses).map { $0 == .ok ? -$1 : .nan }
    return EvaluationResult(
      LogDensities(
        values: values, statuses: solution.statuses, timesReached: solution.timesReached,
        evaluations: solution.evaluations), dimension: model.dimension)
  }

  private func problem(
    _ batch: TrainingBatch, _ model: ContinuousFlow, dropoutIsActive: Bool
  ) -> SolveProblem<Float> {
    let step = UInt64(batch.step)
    let start =
      switch origin {
      case .data: batch.states
      case .base:
        model.base.samples(
          count: batch.count, dimension: model.dimension, seed: batch.seed, step: step, identifiers: batch.identifiers
        ).values
      }
    return SolveProblem(
      parameters: model.parameters, states: start, from: origin == .base ? 0 : model.endTime,
      to: origin == .base ? model.endTime : 0, seed: batch.seed, step: step, sampleIdentifiers: batch.identifiers,
      context: batch.context, dropoutIsActive: dropoutIsActive)
  }

  /// The closure as the solver calls it, divided by the batch size.
  private static func mean(
    of function: @escaping Function, over batch: TrainingBatch, trace: Trace
  ) -> @Sendable (SolvedSamples<Float>) -> SampleCotangents<Float> {
    let scale = 1 / Double(batch.count)
    return { solved in
      var cotangents = checked(function(solved, batch), solved, trace: trace)
      for sample in cotangents.losses.indices { cotangents.losses[sample] *= scale }
      for sample in cotangents.logDeterminants.indices { cotangents.logDeterminants[sample] *= scale }
      for place in cotangents.states.indices {
        cotangents.states[place] = Float(scale * Double(cotangents.states[place]))
      }
      return cotangents
    }
  }

  private static func checked(
    _ cotangents: SampleCotangents<Float>, _ solved: SolvedSamples<Float>, trace: Trace
  ) -> SampleCotangents<Float> {
    cotangents.checkShapes(of: solved)
    precondition(
      trace != .none || cotangents.logDeterminants.allSatisfy { $0 == 0 },
      "a loss of log-determinants, which a solver whose trace is none does not give")
    return cotangents
  }
}
