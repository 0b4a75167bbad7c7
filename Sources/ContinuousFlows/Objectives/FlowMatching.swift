/// Conditional flow matching: the field is taught the rates of change of paths that lead samples of the base to the data; no
/// solve is part of a step (Lipman et al. 2023, arXiv 2210.02747). The flow that comes of it has the same densities and samples
/// as one trained by maximum likelihood.
///
/// Minimises the mean of `½ |f(x_t, t) − dx_t/dt|² / D` over data, base samples and times. A sample's base sample, time and noise
/// are keyed by (seed, step, identifier).
public struct FlowMatching: TrainingObjective {
  /// Which sample of the base is led to which of the data.
  public enum Coupling: String, Sendable, CaseIterable {
    case independent
    /// Within each batch the pairing of least total squared distance (Tong et al. 2024, arXiv 2302.00482; Pooladian et al. 2023,
    /// arXiv 2304.14772): paths cross less, and solves take fewer steps. Exact: O(batch³) at worst. Of a conditional flow among
    /// the samples of one context alone: pairs across contexts would make the base depend on the context, which sampling
    /// does not know of (Cheng, Schwing 2025, arXiv 2503.10636).
    case optimalTransport
  }

  private let path: ProbabilityPath
  private let coupling: Coupling
  private let solver: any FieldSolver<Float>
  private let evaluationSolver: any FieldSolver<Float>

  /// - Parameters:
  ///   - flow: the one that will be trained; its parameters do not matter.
  ///   - options: its backend, threads and evaluation solver count; of the training solver nothing else.
  /// - Throws: `TrainingError.invalidOption` for a path that leads nowhere, or for regularisers or a random end time, which are of
  ///   solves; `KernelError` for a refused solver.
  public init(
    flow: ContinuousFlow, path: ProbabilityPath = .linear(), coupling: Coupling = .independent,
    options: TrainingOptions
  ) throws {
    if let problem = path.problem {
      throw TrainingError.invalidOption(
        name: "path", value: "\(path)", allowed: "one that leads to the data: \(problem)")
    }
    try options.refuseRegularisation("beside flow matching, which solves nothing")
    try options.refuseEndTimeJitter("beside flow matching, which solves nothing")
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
    let (points, dimension) = (points(on: batch, model), model.dimension)
    let problem = SolveProblem(
      parameters: model.parameters, states: points.states, from: 0, to: model.endTime, seed: batch.seed,
      step: UInt64(batch.step), sampleIdentifiers: batch.identifiers, startTimes: points.times,
      context: batch.context, dropoutIsActive: true)
    let scale = 1 / Double(batch.count * dimension)
    let gradient = try solver.fieldGradient(
      of: .squaredDistance(from: points.rates, weights: nil, scale: scale), at: problem)
    return BatchGradient(
      parameters: gradient.parameters, loss: gradient.losses.reduce(0, +), evaluationsMean: 1)
  }

  public func evaluate(_ model: ContinuousFlow, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try model.evaluate(on: dataset, by: evaluationSolver, seed: seed)
  }

  /// The samples of the base in the order of the data that each is led to.
  private static func paired(_ base: SampleMatrix, with batch: TrainingBatch) -> SampleMatrix {
    let data = SampleMatrix(count: batch.count, dimension: base.dimension, values: batch.states)
    var order = Array(0..<batch.count)
    for group in batch.samplesByContext {
      let columns = Assignment.ofLeastDistance(from: data.rows(group), to: base.rows(group))
      for (sample, column) in zip(group, columns) { order[sample] = group[column] }
    }
    return base.rows(order)
  }

  /// Points on the paths that end at a batch's samples, their times, and their rates of change by t.
  func points(on batch: TrainingBatch, _ model: ContinuousFlow) -> (states: [Float], times: [Double], rates: [Float]) {
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
      // The first column is the time's, and those behind its block the noise's.
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
