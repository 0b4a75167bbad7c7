extension ContinuousFlow {
  /// Mean negative log-likelihood of `dataset` with its error, and what it cost.
  ///
  /// Quantised data get the noise of `Quantisation.evaluationEpoch`, so that figures can be compared. That noise and drawn
  /// probes are keyed by the samples' identifiers.
  ///
  /// - Parameters:
  ///   - options: the trace is exact unless told otherwise.
  ///   - seed: of the dequantisation and of probes.
  /// - Throws: `TrainingError.noSamples`, `.dimensionMismatch`, `.outsideRange`; `KernelError` for a refused option.
  public func evaluate(
    on dataset: Dataset, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0
  ) throws -> EvaluationResult {
    try evaluate(
      on: dataset, by: makeSolver(program: program, options: options, backend: backend), seed: seed)
  }

  /// As above, by a solver that is there already.
  public func evaluate(
    on dataset: Dataset, by solver: any FieldSolver<Float>, seed: UInt64 = 0
  ) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: self)
    let densities = try logDensities(
      of: dataset.continuousPoints(seed: seed), by: solver, seed: seed, identifiers: dataset.identifiers)
    return EvaluationResult(densities, dimension: dimension, quantisation: dataset.quantisation)
  }
}
