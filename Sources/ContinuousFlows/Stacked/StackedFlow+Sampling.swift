extension StackedFlow {
  /// Samples of the flow, `[count][D]`, by a solve of each block from t = 0 to T; as `ContinuousFlow.samples`.
  ///
  /// - Throws: `SolveFailure` if a sample does not arrive; `KernelError` for a refused option.
  public func samples(
    count: Int, seed: UInt64, options: SolverOptions = ContinuousFlow.samplingOptions, backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> SampleMatrix {
    checkContext(context, count: count)
    let solution = try samplingSolver(options, backend).solveToData(
      .init(
        parameters: parameters, states: base.samples(count: count, dimension: dimension, seed: seed).values, seed: seed,
        context: context?.values ?? []))
    try SolveFailure.check(solution)
    return SampleMatrix(count: count, dimension: dimension, values: transform.inverse(solution.states))
  }

  /// The particles that `samples` would draw, at each of `times`, in the space of the data: `[times][count][D]`; as
  /// `ContinuousFlow.paths`.
  ///
  /// - Parameter times: rising, in 0 ... K T, counted over all blocks.
  public func paths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions = ContinuousFlow.samplingOptions,
    backend: Backend = .c
  ) throws -> [SampleMatrix] {
    precondition(
      zip(times, times.dropFirst()).allSatisfy { $0 <= $1 } && times.allSatisfy { (0...totalTime).contains($0) },
      "times have to rise within 0 ... \(totalTime)")
    var options = options
    // Of each interval its own: the bound is meant for one solve of a block.
    if case .fixed(let steps) = options.control {
      options.maximumSteps = max(options.maximumSteps, steps * (times.count + 1))
    }
    let call = StackedSolver<Float>.Call(
      parameters: parameters, states: base.samples(count: count, dimension: dimension, seed: seed).values, seed: seed)
    return try samplingSolver(options, backend).states(of: call, at: times).map {
      SampleMatrix(count: count, dimension: dimension, values: transform.inverse($0))
    }
  }

  private func samplingSolver(_ options: SolverOptions, _ backend: Backend) throws -> StackedSolver<Float> {
    var options = options
    options.trace = .none
    return try StackedSolver(of: self, options: options, backend: backend)
  }
}
