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
    /// worst. A conditional flow pairs only samples of one context: pairs across contexts would make the base depend on
    /// the context, which sampling does not know (Cheng, Schwing 2025, arXiv 2503.10636).
    case optimalTransport
  }

  private let path: ProbabilityPath
  private let coupling: Coupling
  private let solver: any FieldSolver<Float>
  private let evaluationSolver: any FieldSolver<Float>

  /// - Parameters:
  ///   - flow: the model that will be trained; its parameter values are not used.
  ///   - options: its backend, threads and evaluation solver are used; nothing else of the training solver is.
  /// - Throws: `TrainingError.invalidOption` for an invalid path, or for regularisers or a random end time, which need
  ///   solves; `KernelError` for a refused solver.
  public init(
    flow: ContinuousFlow, path: ProbabilityPath = .linear(), coupling: Coupling = .independent,
    options: TrainingOptions
  ) throws {
    if let problem = path.problem {
      throw TrainingError.invalidOption(
        name: "path", value: "\(path)", allowed: "one that leads to the data: \(problem)")
    }
    try options.refuseRegularisation("with flow matching, which solves nothing")
    try options.refuseEndTimeJitter("with flow matching, which solves nothing")
    self.path = path
    self.coupling = coupling
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
  private static func paired(_ base: SampleMatrix, with batch: TrainingBatch) -> SampleMatrix {
    let data = SampleMatrix(count: batch.count, dimension: base.dimension, values: batch.states)
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
      base = Self.paired(base, with: batch)
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
