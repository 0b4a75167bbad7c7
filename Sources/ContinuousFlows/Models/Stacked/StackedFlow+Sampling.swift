extension StackedFlow: PathModel {
  /// Draws samples of the flow, `[count][D]`, by a solve of each block from t = 0 to T; as `ContinuousFlow.samples`.
  ///
  /// - Throws: `SolveFailure` if a sample's solve fails; `KernelError` for a refused option.
  public func samples(
    count: Int, seed: UInt64, options: SolverOptions = ContinuousFlow.samplingOptions, backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> SampleMatrix {
    checkContext(context, count: count)
    let base = base.samples(count: count, dimension: dimension, seed: seed)
    func solved<Scalar: FlowScalar>(in scalar: Scalar.Type) throws -> SampleMatrix {
      let solution = try StackedSolver<Scalar>(of: self, options: options.withoutTrace, backend: backend).solveToData(
        .init(
          parameters: parameters.converted(), states: base.values.converted(), seed: seed,
          context: seenContext(context?.values ?? []).converted()))
      try SolveFailure.check(solution)
      return SampleMatrix(
        count: count, dimension: dimension, values: transform.inverse(solution.states.floats))
    }
    return try solved(in: options.stateType.scalar)
  }

  /// The samples that `samples(count:seed:)` draws, at each of `times`, in the space of the data: `[times][count][D]`;
  /// as `ContinuousFlow.paths`.
  ///
  /// - Parameters:
  ///   - times: rising, in 0 ... K T, counted over all blocks.
  ///   - context: `[count][C]`, for blocks that read one; nil means none.
  public func paths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions = ContinuousFlow.samplingOptions,
    backend: Backend = .c, context: SampleMatrix? = nil
  ) throws -> [SampleMatrix] {
    let base = base.samples(count: count, dimension: dimension, seed: seed)
    return try stops(
      from: base, seed: seed, times: times, options: options.withoutTrace, backend: backend, context: context
    ).map {
      SampleMatrix(count: count, dimension: dimension, values: transform.inverse($0.states))
    }
  }

  /// The same samples with the log-density of the flow's distribution at each time and place; as
  /// `ContinuousFlow.logDensityPaths`. At K T these are the values of `logDensities`, at 0 those of the base in the
  /// space of the data.
  ///
  /// - Parameters:
  ///   - times: rising, in 0 ... K T, counted over all blocks.
  ///   - options: with a Hutchinson trace the log-densities are estimates.
  ///   - context: `[count][C]`, for blocks that read one; nil means none.
  /// - Throws: `SolveFailure` if a sample's solve fails; `KernelError` for a refused option.
  public func logDensityPaths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> DensityPaths {
    let base = base.samples(count: count, dimension: dimension, seed: seed)
    let stops = try stops(
      from: base, seed: seed, times: times, options: options, backend: backend, context: context)
    let start = (0..<count).map { self.base.logDensity(base[$0]) }
    return DensityPaths(stops, at: times, start: start, transform: transform)
  }

  private func stops(
    from base: StateMatrix, seed: UInt64, times: [Double], options: SolverOptions, backend: Backend,
    context: SampleMatrix?
  ) throws -> [PathStop<Float>] {
    checkContext(context, count: base.count)
    checkTimes(times)
    func solved<Scalar: FlowScalar>(in scalar: Scalar.Type) throws -> [PathStop<Float>] {
      let call = StackedSolver<Scalar>.Call(
        parameters: parameters.converted(), states: base.values.converted(), seed: seed,
        context: seenContext(context?.values ?? []).converted())
      return try StackedSolver(of: self, options: options.allowingFixedSteps(between: times), backend: backend)
        .stops(of: call, at: times).map(\.rounded)
    }
    return try solved(in: options.stateType.scalar)
  }
}
