/// Paths of samples. States at every time go through the data's transform as well, so the base appears as a Gaussian
/// with the data's shift and scale. One solve gives all times.
extension ContinuousFlow: PathModel {
  /// T.
  public var totalTime: Double { endTime }

  /// The samples that `samples(count:seed:)` draws, at each of `times`, in the space of the data: `[times][count][D]`.
  ///
  /// - Parameters:
  ///   - times: rising, in 0 ... T.
  ///   - options: the number of fixed steps counts from each time to the next; step control of the whole batch refuses
  ///     output times.
  ///   - context: `[count][C]`, for a conditional flow; nil means none.
  /// - Throws: `SolveFailure` if a sample's solve fails; `KernelError` for a refused option.
  public func paths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions = samplingOptions, backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> [SampleMatrix] {
    var options = options
    options.trace = .none
    let base = baseSamples(count: count, seed: seed)
    return try stops(
      from: base, seed: seed, times: times, options: options.withoutTrace, backend: backend, context: context
    ).map { SampleMatrix(count: count, dimension: dimension, values: transform.inverse($0.states)) }
  }

  /// The samples that `samplesWithLogDensities` draws, at each of `times`, with the log-density of the flow's
  /// distribution at that time and place.
  ///
  /// `log p_t(x(t)) = log p₀(x(0)) − ∫₀ᵗ tr(∂f/∂x) ds`: the density along a sample's path needs no other sample (Chen
  /// et al. 2018, arXiv 1806.07366, theorem 1).
  ///
  /// - Parameters:
  ///   - times: rising, in 0 ... T.
  ///   - options: as for `paths`; with a Hutchinson trace the log-densities are estimates.
  ///   - context: `[count][C]`, for a conditional flow; nil means none.
  /// - Throws: as `paths`.
  public func logDensityPaths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> DensityPaths {
    let base = baseSamples(count: count, seed: seed)
    let stops = try stops(
      from: base, seed: seed, times: times, options: options, backend: backend, context: context)
    return DensityPaths(
      stops, at: times, start: (0..<count).map { baseLogDensity(base.values, $0) }, transform: transform)
  }

  private func stops(
    from base: StateMatrix, seed: UInt64, times: [Double], options: SolverOptions, backend: Backend,
    context: SampleMatrix?
  ) throws -> [PathStop<Float>] {
    checkTimes(times)
    checkContext(context, count: base.count)
    let passed = [Double](repeating: 0, count: base.count)
    func solved<Scalar: FlowScalar>(in scalar: Scalar.Type) throws -> [PathStop<Float>] {
      let solver = try makeSolver(
        program: program, options: options.allowingFixedSteps(between: times), backend: backend, scalar: scalar)
      let solution = try solver.solve(
        SolveProblem(
          parameters: parameters.converted(to: scalar), states: base.values.converted(), from: 0, to: times.last ?? 0,
          seed: seed, outputTimes: times, context: seenContext(context?.values ?? []).converted()))
      try SolveFailure.check(solution)
      return times.indices.map {
        PathStop(solution, time: $0, of: times.count, dimension: dimension, passed: passed).rounded
      }
    }
    return try solved(in: options.stateType.scalar)
  }
}
