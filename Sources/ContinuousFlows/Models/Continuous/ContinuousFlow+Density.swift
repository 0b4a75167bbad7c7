extension ContinuousFlow {
  /// `log p(x)` of every sample, by a solve from t = T to 0 for each.
  ///
  /// A sample that does not arrive has NaN and its status; the others are not affected. With a Hutchinson trace the values
  /// are unbiased estimates, and a sample's probes are keyed by its identifier: the same wherever it stands. A sample where
  /// the transform has no density has −∞.
  ///
  /// - Parameters:
  ///   - seed: of Hutchinson's probes.
  ///   - identifiers: `[count]`, such as `Dataset.identifiers`; nil: the rows' numbers.
  ///   - context: `[count][C]`, of a conditional flow, one whose field reads a context, as its `condition` has it; nil: none.
  /// - Throws: `KernelError` for a refused option. Samples of another dimension are a programmer's error.
  public func logDensities(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> LogDensities {
    try logDensities(
      of: samples,
      by: makeSolver(program: program, options: options.sparingDivergence(of: program), backend: backend), seed: seed,
      identifiers: identifiers, context: context)
  }

  /// As above, by a solver that is there already: for many calls with one program.
  public func logDensities(
    of samples: SampleMatrix, by solver: any FieldSolver<Float>, seed: UInt64 = 0, identifiers: [UInt64]? = nil,
    context: SampleMatrix? = nil
  ) throws -> LogDensities {
    precondition(solver.program == program, "the solver is of another program")
    checkContext(context, count: samples.count)
    let problem = SolveProblem(
      parameters: parameters, states: latentStates(of: samples), from: endTime, to: 0, seed: seed,
      sampleIdentifiers: identifiers, context: seenContext(context?.values ?? []))
    let solution = try solver.solve(problem)
    let transformed = transform.logDeterminants(samples.values)
    let values = solution.statuses.indices.map { sample -> Double in
      guard solution.statuses[sample] == .ok else { return .nan }
      return baseLogDensity(solution.states, sample) + solution.logDeterminants[sample] + transformed[sample]
    }
    return LogDensities(
      values: values, statuses: solution.statuses, timesReached: solution.timesReached,
      evaluations: solution.evaluations)
  }

  /// z of x, `[count][D]`.
  func latentStates(of samples: SampleMatrix) -> [Float] {
    precondition(
      samples.dimension == dimension, "samples of \(samples.dimension) columns for a flow of \(dimension) dimensions")
    return transform.forward(samples.values)
  }

  func checkContext(_ context: SampleMatrix?, count: Int) {
    let (rows, columns) = (context?.count ?? count, context?.dimension ?? 0)
    precondition(
      rows == count && columns == program.contextDimension,
      "a context of \(rows) rows and \(columns) columns for \(count) samples of a flow that reads \(program.contextDimension)"
    )
  }

  /// `log p₀(z)` of one row of `states`.
  func baseLogDensity(_ states: [Float], _ sample: Int) -> Double {
    base.logDensity(states[sample * dimension..<(sample + 1) * dimension])
  }
}
