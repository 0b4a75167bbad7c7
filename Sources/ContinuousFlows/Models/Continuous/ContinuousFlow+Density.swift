extension ContinuousFlow {
  /// `log p(x)` of every sample in nats, by one solve from t = T to 0 for each.
  ///
  /// A sample whose solve fails has NaN and its status; it does not affect the others. A sample at which the transform
  /// has no density has −∞. With a Hutchinson trace the values are unbiased estimates. Probes are keyed by the sample's
  /// identifier, so they do not depend on its place in the batch.
  ///
  /// - Parameters:
  ///   - seed: the seed of Hutchinson's probes.
  ///   - identifiers: `[count]`, such as `Dataset.identifiers`; nil means the row numbers.
  ///   - context: `[count][C]`, for a flow whose field reads a context, in the units of its `contextKind`; nil means
  ///     none.
  /// - Throws: `KernelError` for a refused option. Samples of another dimension are a precondition failure.
  public func logDensities(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> LogDensities {
    func solved<Scalar: FlowScalar>(in scalar: Scalar.Type) throws -> LogDensities {
      try logDensities(
        of: samples,
        by: makeSolver(
          program: program, options: options.sparingDivergence(of: program), backend: backend, scalar: scalar),
        seed: seed, identifiers: identifiers, context: context)
    }
    return try solved(in: options.stateType.scalar)
  }

  /// As above, with an existing solver: for many calls with one field.
  public func logDensities<Scalar: FlowScalar>(
    of samples: SampleMatrix, by solver: any FieldSolver<Scalar>, seed: UInt64 = 0, identifiers: [UInt64]? = nil,
    context: SampleMatrix? = nil
  ) throws -> LogDensities {
    precondition(solver.program == program, "the solver is of another program")
    checkContext(context, count: samples.count)
    let problem = SolveProblem(
      parameters: parameters.converted(to: Scalar.self), states: latentStates(of: samples).converted(), from: endTime,
      to: 0, seed: seed, sampleIdentifiers: identifiers, context: seenContext(context?.values ?? []).converted())
    let solution = try solver.solve(problem)
    let (states, transformed) = (solution.states.doubles, transform.logDeterminants(samples.values))
    let values = solution.statuses.indices.map { sample -> Double in
      guard solution.statuses[sample] == .ok else { return .nan }
      return baseLogDensity(states, sample) + solution.logDeterminants[sample] + transformed[sample]
    }
    return LogDensities(
      values: values, statuses: solution.statuses, timesReached: solution.timesReached,
      evaluations: solution.evaluations)
  }

  /// The states z(T) of samples x, both `[count][D]`.
  func latentStates(of samples: SampleMatrix) -> [Float] {
    checkDimension(of: samples)
    return transform.forward(samples.values)
  }

  /// `log p₀(z)` of one row of `states`.
  func baseLogDensity<Scalar: FlowScalar>(_ states: [Scalar], _ sample: Int) -> Double {
    base.logDensity(states[sample * dimension..<(sample + 1) * dimension])
  }
}
