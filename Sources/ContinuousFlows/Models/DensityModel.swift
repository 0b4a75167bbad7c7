/// A model that gives the density of a point and draws new ones. Solver options and backend are for those that solve; others
/// have no use for them.
public protocol DensityModel: TrainableModel {
  /// `log p(x)` of every sample, each of them independent of the others.
  ///
  /// - Parameters:
  ///   - seed: of what is random in an estimate.
  ///   - identifiers: `[count]`, what that is keyed by; nil: the rows' numbers.
  ///   - context: `[count][C]`, of a conditional model; nil: none.
  /// - Throws: `KernelError` for a refused option. Samples of another dimension are a programmer's error.
  func logDensities(
    of samples: SampleMatrix, options: SolverOptions, backend: Backend, seed: UInt64, identifiers: [UInt64]?,
    context: SampleMatrix?
  ) throws -> LogDensities

  /// New samples, `[count][D]`: sample i depends on `seed`, i, the model and its context alone.
  ///
  /// - Throws: `SolveFailure` if a sample does not arrive; `KernelError` for a refused option.
  func samples(
    count: Int, seed: UInt64, options: SolverOptions, backend: Backend, context: SampleMatrix?
  ) throws -> SampleMatrix
}

extension DensityModel {
  /// Mean negative log-likelihood of `dataset`, given its context where there is one, with its error, and what it cost.
  ///
  /// Quantised data get the noise of `Quantisation.evaluationEpoch`, so that figures can be compared. That noise and drawn
  /// probes are keyed by the samples' identifiers.
  ///
  /// - Parameters:
  ///   - options: the trace is exact unless told otherwise.
  ///   - seed: of the dequantisation and of probes.
  /// - Throws: `TrainingError.noSamples`, `.dimensionMismatch`, `.contextMismatch`, `.outsideRange`, `.outsideUnitInterval`;
  ///   `KernelError` for a refused option.
  public func evaluate(
    on dataset: Dataset, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0
  ) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: self)
    let densities = try logDensities(
      of: dataset.continuousPoints(seed: seed), options: options, backend: backend, seed: seed,
      identifiers: dataset.identifiers, context: dataset.context)
    return EvaluationResult(densities, dimension: dimension, quantisation: dataset.quantisation)
  }
}
