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
  /// - Throws: `KernelError` for a refused option. Samples of another dimension are a programmer's error.
  public func logDensities(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil
  ) throws -> LogDensities {
    try logDensities(
      of: samples, by: makeSolver(program: program, options: options, backend: backend), seed: seed,
      identifiers: identifiers)
  }

  /// As above, by a solver that is there already: for many calls with one program.
  public func logDensities(
    of samples: SampleMatrix, by solver: any FieldSolver<Float>, seed: UInt64 = 0, identifiers: [UInt64]? = nil
  ) throws -> LogDensities {
    precondition(solver.program == program, "the solver is of another program")
    let problem = SolveProblem(
      parameters: parameters, states: latentStates(of: samples), from: endTime, to: 0, seed: seed,
      sampleIdentifiers: identifiers)
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

  /// `log p₀(z)` of one row of `states`.
  func baseLogDensity(_ states: [Float], _ sample: Int) -> Double {
    base.logDensity(states[sample * dimension..<(sample + 1) * dimension])
  }
}
