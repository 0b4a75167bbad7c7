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
    try drawn(count: count, seed: seed, options: options.withoutTrace, backend: backend, context: context).samples
  }

  /// As `samples`, with each sample's `log p(x)`.
  public func samplesWithLogDensities(
    count: Int, seed: UInt64, options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> (samples: SampleMatrix, logDensities: [Double]) {
    let drawn = try drawn(
      count: count, seed: seed, options: options.sparingDivergence(of: program), backend: backend, context: context)
    let transformed = transform.logDeterminants(ofLatent: drawn.states)
    let logDensities = (0..<count).map {
      baseLogDensity(drawn.base.values, $0) - drawn.logDeterminants[$0] + transformed[$0]
    }
    return (drawn.samples, logDensities)
  }

  /// Samples of the base, `[count][D]`, keyed by (seed, sample, dimension).
  public func baseSamples(count: Int, seed: UInt64) -> StateMatrix {
    base.samples(count: count, dimension: dimension, seed: seed)
  }

  /// A batch that was drawn, with its samples of the base, and with its states and log-determinants at T.
  private struct Drawn {
    let samples: SampleMatrix
    let base: StateMatrix
    let states: [Float]
    let logDeterminants: [Double]
  }

  private func drawn(
    count: Int, seed: UInt64, options: SolverOptions, backend: Backend, context: SampleMatrix?
  ) throws -> Drawn {
    checkContext(context, count: count)
    let base = baseSamples(count: count, seed: seed)
    func solved<Scalar: FlowScalar>(in scalar: Scalar.Type) throws -> Drawn {
      let solver = try makeSolver(program: program, options: options, backend: backend, scalar: scalar)
      let solution = try solver.solve(
        SolveProblem(
          parameters: parameters.converted(to: scalar), states: base.values.converted(), from: 0, to: endTime,
          seed: seed, context: seenContext(context?.values ?? []).converted()))
      try SolveFailure.check(solution)
      let states = solution.states.floats
      return Drawn(
        samples: SampleMatrix(count: count, dimension: dimension, values: transform.inverse(states)), base: base,
        states: states, logDeterminants: solution.logDeterminants)
    }
    return try solved(in: options.stateType.scalar)
  }
}
