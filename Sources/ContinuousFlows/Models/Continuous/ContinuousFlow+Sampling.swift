extension ContinuousFlow {
  /// The default options for sampling: adaptive steps, without the trace, which only densities need.
  public static let samplingOptions = SolverOptions(trace: .none)

  /// Draws samples of the flow, `[count][D]`, by one solve from t = 0 to T for each.
  ///
  /// Sample i depends only on `seed`, i, the flow and its context, not on `count`.
  ///
  /// - Parameter context: `[count][C]`, for a conditional flow; nil means none.
  /// - Throws: `SolveFailure` if a sample's solve fails; `KernelError` for a refused option.
  public func samples(
    count: Int, seed: UInt64, options: SolverOptions = samplingOptions, backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> SampleMatrix {
    return try drawn(count: count, seed: seed, options: options.withoutTrace, backend: backend, context: context)
      .samples
  }

  /// As `samples`, with each sample's `log p(x)`.
  public func samplesWithLogDensities(
    count: Int, seed: UInt64, options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> (samples: SampleMatrix, logDensities: [Double]) {
    let (samples, base, solution) = try drawn(
      count: count, seed: seed, options: options.sparingDivergence(of: program), backend: backend, context: context)
    let transformed = transform.logDeterminants(ofLatent: solution.states)
    let logDensities = (0..<count).map {
      baseLogDensity(base.values, $0) - solution.logDeterminants[$0] + transformed[$0]
    }
    return (samples, logDensities)
  }

  /// Samples of the base, `[count][D]`, keyed by (seed, sample, dimension).
  public func baseSamples(count: Int, seed: UInt64) -> SampleMatrix {
    base.samples(count: count, dimension: dimension, seed: seed)
  }

  private func drawn(
    count: Int, seed: UInt64, options: SolverOptions, backend: Backend, context: SampleMatrix?
  ) throws -> (samples: SampleMatrix, base: SampleMatrix, solution: Solution<Float>) {
    checkContext(context, count: count)
    let base = baseSamples(count: count, seed: seed)
    let solver = try makeSolver(program: program, options: options, backend: backend, scalar: Float.self)
    let problem = SolveProblem(
      parameters: parameters, states: base.values, from: 0, to: endTime, seed: seed,
      context: seenContext(context?.values ?? []))
    let solution = try solver.solve(problem)
    try SolveFailure.check(solution)
    let values = transform.inverse(solution.states)
    return (SampleMatrix(count: count, dimension: dimension, values: values), base, solution)
  }
}
