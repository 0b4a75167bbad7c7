extension StackedFlow: DensityModel {
  /// `log p(x)` of every sample in nats, by a solve of each block from t = T to 0. Parameters as for
  /// `ContinuousFlow.logDensities`. Times count over all blocks, from 0 at the base to K T at the data.
  ///
  /// - Throws: `KernelError` for a refused option.
  public func logDensities(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> LogDensities {
    func solved<Scalar: FlowScalar>(in scalar: Scalar.Type) throws -> LogDensities {
      try logDensities(
        of: samples, by: StackedSolver<Scalar>(of: self, options: options, backend: backend), seed: seed,
        identifiers: identifiers, context: context)
    }
    return try solved(in: options.stateType.scalar)
  }

  /// As above, with an existing solver.
  func logDensities<Scalar: FlowScalar>(
    of samples: SampleMatrix, by solver: StackedSolver<Scalar>, seed: UInt64 = 0, identifiers: [UInt64]? = nil,
    context: SampleMatrix? = nil
  ) throws -> LogDensities {
    checkDimension(of: samples)
    checkContext(context, count: samples.count)
    let solution = try solver.solveToBase(
      .init(
        parameters: parameters.converted(), states: transform.forward(samples.values).converted(), seed: seed,
        identifiers: identifiers, context: seenContext(context?.values ?? []).converted()))
    let (states, transformed) = (solution.states.doubles, transform.logDeterminants(samples.values))
    let values = solution.statuses.indices.map { sample -> Double in
      guard solution.statuses[sample] == .ok else { return .nan }
      return base.logDensity(states[sample * dimension..<(sample + 1) * dimension])
        + solution.logDeterminants[sample] + transformed[sample]
    }
    return LogDensities(
      values: values, statuses: solution.statuses, timesReached: solution.timesReached,
      evaluations: solution.evaluations)
  }

  /// As `evaluate(on:options:backend:seed:)`, with an existing solver.
  func evaluate(on dataset: Dataset, by solver: StackedSolver<Float>, seed: UInt64) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: self)
    let densities = try logDensities(
      of: dataset.continuousSamples(seed: seed), by: solver, seed: seed, identifiers: dataset.identifiers)
    return EvaluationResult(densities, dimension: dimension, quantisation: dataset.quantisation)
  }
}
