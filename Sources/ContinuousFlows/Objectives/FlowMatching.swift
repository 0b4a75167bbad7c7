/// Conditional flow matching: the field learns the velocity of paths from samples of the base to the data, without any
/// solve in a step (Lipman et al. 2023, arXiv 2210.02747). The trained flow gives densities and samples like one
/// trained by maximum likelihood.
///
/// Minimises the mean of `½ |f(x_t, t) − dx_t/dt|² / D` over data, base samples and times. A sample's base sample, time
/// and noise are keyed by (seed, step, identifier).
public struct FlowMatching: TrainingObjective {
  /// Which sample of the base is paired with which sample of the data.
  public enum Coupling: String, Sendable, CaseIterable {
    case independent
    /// Within each batch, the pairing of least total squared distance (Tong et al. 2024, arXiv 2302.00482; Pooladian et
    /// al. 2023, arXiv 2304.14772): paths cross less, and solves take fewer steps. It is exact and takes O(batch³) at
    /// worst.
    ///
    /// A conditional flow never pairs by distance alone: that would make the base depend on the context, which sampling
    /// does not know (Cheng, Schwing 2025, arXiv 2503.10636). Of classes, only samples of one class are paired.
    /// Contexts of real numbers are hardly ever equal, so their squared distance counts in the cost of a pair, with a
    /// weight that follows from `contextShare`.
    case optimalTransport
  }

  /// The default of `contextShare`. In batches of 128 to 512 of a linear model with 1 or 2 contexts and 1 to 8 columns,
  /// base samples depend on the context no more than independent pairs do: R² is that of chance, and squared paths are
  /// 10 to 35 % shorter. With 0.2, R² is 0.01 to 0.19; by distance alone it is 0.11 to 0.81.
  public static let contextShare = 0.02

  private let path: ProbabilityPath
  private let coupling: Coupling
  private let contextShare: Double
  private let solver: any FieldSolver<Float>
  private let evaluationSolver: any FieldSolver<Float>

  /// - Parameters:
  ///   - flow: the model that will be trained; its parameter values are not used.
  ///   - contextShare: for `.optimalTransport` with contexts of real numbers, the share of all pairs of a batch that
  ///     are candidates, 0 to 1. A larger one pairs samples of less similar contexts; 0 pairs those of equal contexts
  ///     only.
  ///   - options: its backend, threads and evaluation solver are used; nothing else of the training solver is.
  /// - Throws: `TrainingError.invalidOption` for an invalid path or share, or for regularisers or a random end time,
  ///   which need solves; `KernelError` for a refused solver.
  public init(
    flow: ContinuousFlow, path: ProbabilityPath = .linear(), coupling: Coupling = .independent,
    contextShare: Double = contextShare, options: TrainingOptions
  ) throws {
    guard (0...1).contains(contextShare) else {
      throw TrainingError.invalidOption(name: "contextShare", value: "\(contextShare)", allowed: "from 0 to 1")
    }
    if let problem = path.problem {
      throw TrainingError.invalidOption(
        name: "path", value: "\(path)", allowed: "one that leads to the data: \(problem)")
    }
    try options.refuseRegularisation("with flow matching, which solves nothing")
    try options.refuseEndTimeJitter("with flow matching, which solves nothing")
    self.path = path
    self.coupling = coupling
    self.contextShare = contextShare
    solver = try makeSolver(
      program: flow.program, options: SolverOptions(trace: .none, threads: options.solver.threads),
      backend: options.backend)
    evaluationSolver = try makeSolver(
      program: flow.program, options: options.evaluationSolver.sparingDivergence(of: flow.program),
      backend: options.backend)
  }

  public func gradient(of batch: TrainingBatch, model: ContinuousFlow) throws -> BatchGradient {
    let (samples, dimension) = (pathSamples(on: batch, model), model.dimension)
    let problem = SolveProblem(
      parameters: model.parameters, states: samples.states, from: 0, to: model.endTime, seed: batch.seed,
      step: UInt64(batch.step), sampleIdentifiers: batch.identifiers, startTimes: samples.times,
      context: batch.context, dropoutIsActive: true)
    let scale = 1 / Double(batch.count * dimension)
    let gradient = try solver.fieldGradient(
      of: .squaredDistance(from: samples.rates, weights: nil, scale: scale), at: problem)
    return BatchGradient(
      parameters: gradient.parameters, loss: gradient.losses.reduce(0, +), evaluationsMean: 1)
  }

  public func evaluate(_ model: ContinuousFlow, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try model.evaluate(on: dataset, by: evaluationSolver, seed: seed)
  }

  /// The samples of the base, in the order of the data samples they are paired with.
  private func paired(_ base: StateMatrix, with batch: TrainingBatch, _ model: ContinuousFlow) -> StateMatrix {
    let data = StateMatrix(count: batch.count, dimension: base.dimension, values: batch.states)
    if model.contextDimension > 0, model.contextKind?.classCount == nil {
      let contexts = StateMatrix(count: batch.count, dimension: model.contextDimension, values: batch.context)
      let order = Assignment.ofLeastDistance(from: data, to: base, contexts: contexts, share: contextShare)
      if let order { return base.rows(order) }
    }
    var order = Array(0..<batch.count)
    for group in batch.samplesByContext {
      let columns = Assignment.ofLeastDistance(from: data.rows(group), to: base.rows(group))
      for (sample, column) in zip(group, columns) { order[sample] = group[column] }
    }
    return base.rows(order)
  }

  /// Random states on the paths that end at a batch's samples, with their times and their velocities.
  func pathSamples(on batch: TrainingBatch, _ model: ContinuousFlow) -> (
    states: [Float], times: [Double], rates: [Float]
  ) {
    let (dimension, endTime) = (model.dimension, model.endTime)
    let step = UInt64(batch.step)
    var base = model.base.samples(
      count: batch.count, dimension: dimension, seed: batch.seed, step: step, identifiers: batch.identifiers)
    if coupling == .optimalTransport {
      base = paired(base, with: batch, model)
    }
    let source = RandomSource(seed: batch.seed, stream: .path, step: step)
    var (states, rates) = (batch.states, batch.states)
    var times: [Double] = []
    for (sample, identifier) in batch.identifiers.enumerated() {
      // Random column 0 gives the time; the columns after its block of four give the noise.
      let s = path.end * source.uniform(sample: identifier, dimension: 0)
      let (a, b, g) = path.coefficients(at: s)
      for column in 0..<dimension {
        let place = sample * dimension + column
        let (z, x) = (Double(base.values[place]), Double(batch.states[place]))
        let noise = g.value == 0 && g.slope == 0 ? 0 : source.normal(sample: identifier, dimension: 4 + column)
        states[place] = Float(a.value * z + b.value * x + g.value * noise)
        rates[place] = Float((a.slope * z + b.slope * x + g.slope * noise) / endTime)
      }
      times.append(s * endTime)
    }
    return (states, times, rates)
  }
}
