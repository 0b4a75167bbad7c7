/// OT-Flow's objective (Onken et al. 2021, arXiv 2006.00104): the mean of
///
///     −log p(x) + transport · ∫ ½ |dx/dt|² dt + hamiltonJacobi · ∫ |−∂ₜΦ + α₀ ½ |dx/dt|²| dt
///
/// over samples, by solves from the data to the base. Both costs are two more rows of the state. They are quadratures:
/// adaptive step control ignores their errors. The gradient is that of the steps taken, costs included.
public struct TransportLikelihood: TrainingObjective {
  /// The paper's weights 1 and 15, divided by that of its likelihood, 100.
  public static let defaultWeights = (transport: 0.01, hamiltonJacobi: 0.15)
  /// A tolerance so large that the error norm ignores the row.
  private static let noTolerance = 1e30

  private let transport: Double
  private let hamiltonJacobi: Double
  private let solver: any FieldSolver<Float>
  private let evaluationSolver: any FieldSolver<Float>

  /// - Parameters:
  ///   - flow: the flow that will be trained, with the field of `architecture`; its parameter values are not used.
  ///   - transport, hamiltonJacobi: finite, at least 0.
  ///   - options: its solvers and backend are used.
  /// - Throws: `TrainingError.invalidOption` for weights out of range, a trace without divergence, other regularisers,
  ///   a random end time, or a base whose density is zero somewhere; `KernelError` for a refused solver;
  ///   `DerivativeError`.
  public init(
    flow: ContinuousFlow, architecture: TransportArchitecture, transport: Double = defaultWeights.transport,
    hamiltonJacobi: Double = defaultWeights.hamiltonJacobi, options: TrainingOptions
  ) throws {
    let expected = try architecture.program(stateDimension: flow.dimension)
    precondition(flow.program == expected, "the flow is of another architecture")
    try options.validateLikelihood()
    for (name, weight) in [("transport", transport), ("hjb", hamiltonJacobi)] where !(weight >= 0 && weight.isFinite) {
      throw TrainingError.invalidOption(name: name, value: "\(weight)", allowed: "finite and at least 0")
    }
    try options.refuseRegularisation("with transport costs")
    try options.refuseEndTimeJitter("with transport costs, which need the whole time span")
    try TrainingError.checkForLikelihood(flow.base)
    self.transport = transport
    self.hamiltonJacobi = hamiltonJacobi
    let dimension = flow.dimension
    solver = try makeSolver(
      program: try architecture.costProgram(stateDimension: dimension),
      options: Self.withCosts(options.solver, dimension: dimension), backend: options.backend)
    evaluationSolver = try makeSolver(
      program: flow.program, options: options.evaluationSolver, backend: options.backend)
  }

  /// The options of a solve over D + 2 rows, whose last two do not influence step sizes.
  static func withCosts(_ options: SolverOptions, dimension: Int) -> SolverOptions {
    var options = options
    switch options.control {
    case .fixed: break
    case .perSample(let rtol, let atol), .batch(let rtol, let atol):
      let free = Array(repeating: noTolerance, count: TransportArchitecture.costRows)
      options.relativeTolerances =
        (options.relativeTolerances ?? Array(repeating: rtol, count: dimension))
        + free.map { _ in 0 }
      options.absoluteTolerances = (options.absoluteTolerances ?? Array(repeating: atol, count: dimension)) + free
    }
    return options
  }

  public func gradient(of batch: TrainingBatch, model: ContinuousFlow) throws -> BatchGradient {
    let (dimension, count) = (model.dimension, batch.count)
    let problem = SolveProblem(
      parameters: model.parameters, states: Self.withCostRows(batch.states, dimension: dimension),
      from: model.endTime, to: 0, seed: batch.seed, step: UInt64(batch.step), sampleIdentifiers: batch.identifiers)
    let gradient = try solver.gradient(of: loss(base: model.base, dimension: dimension, count: count), at: problem)
    try TrainingError.check(gradient.solution, of: batch)
    let loss = gradient.losses.reduce(0, +)
    let costs = Self.meanCosts(gradient.solution.states, dimension: dimension)
    let penalty = transport * costs.transport + hamiltonJacobi * costs.hamiltonJacobi
    return BatchGradient(
      parameters: gradient.parameters, loss: loss,
      nllNats: loss - penalty - batch.logDeterminants.reduce(0, +) / Double(count),
      kineticEnergy: costs.transport / Double(dimension),
      evaluationsMean: Double(gradient.solution.evaluations.reduce(0, +)) / Double(count))
  }

  public func evaluate(_ model: ContinuousFlow, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try model.evaluate(on: dataset, by: evaluationSolver, seed: seed)
  }

  /// The mean loss over `count` samples, from states `(z, transport, hjb)` at t = 0. The costs are integrated along t
  /// from its end, so they are minus the integrals over |dt|.
  func loss<Scalar: FlowScalar>(base: BaseDistribution, dimension: Int, count: Int) -> Loss<Scalar> {
    let (transport, hamiltonJacobi, scale) = (transport, hamiltonJacobi, 1 / Double(count))
    let rows = dimension + TransportArchitecture.costRows
    return .function { solved in
      var cotangents = SampleCotangents(for: solved)
      for sample in 0..<solved.count where solved.statuses[sample] == .ok {
        let first = sample * rows
        var score: [Double]? = []
        let logDensity = base.logDensity(solved.states[first..<first + dimension], score: &score)
        let costs =
          -transport * Double(solved.states[first + dimension])
          - hamiltonJacobi * Double(solved.states[first + dimension + 1])
        cotangents.losses[sample] = scale * (costs - logDensity - solved.logDeterminants[sample])
        cotangents.logDeterminants[sample] = -scale
        for (column, slope) in (score ?? []).enumerated() { cotangents.states[first + column] = Scalar(-scale * slope) }
        cotangents.states[first + dimension] = Scalar(-scale * transport)
        cotangents.states[first + dimension + 1] = Scalar(-scale * hamiltonJacobi)
      }
      return cotangents
    }
  }

  /// `[count][D]` with two rows of 0 appended to each sample.
  static func withCostRows<Scalar: FlowScalar>(_ states: [Scalar], dimension: Int) -> [Scalar] {
    stride(from: 0, to: states.count, by: dimension).flatMap { first in
      states[first..<first + dimension] + Array(repeating: 0, count: TransportArchitecture.costRows)
    }
  }

  /// Means of the two costs over samples, as integrals over |dt|.
  private static func meanCosts(
    _ states: [Float], dimension: Int
  ) -> (transport: Double, hamiltonJacobi: Double) {
    let rows = dimension + TransportArchitecture.costRows
    let count = Double(states.count / rows)
    var sums = (transport: 0.0, hamiltonJacobi: 0.0)
    for first in stride(from: 0, to: states.count, by: rows) {
      sums.transport -= Double(states[first + dimension])
      sums.hamiltonJacobi -= Double(states[first + dimension + 1])
    }
    return (sums.transport / count, sums.hamiltonJacobi / count)
  }
}
