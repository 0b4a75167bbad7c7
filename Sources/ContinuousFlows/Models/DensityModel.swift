/// A model that evaluates the density of samples and draws new ones. Models that solve nothing ignore solver options
/// other than threads.
public protocol DensityModel: TrainableModel {
  /// `log p(x)` of every sample in nats; each is independent of the others.
  ///
  /// - Parameters:
  ///   - seed: the seed of random estimates.
  ///   - identifiers: `[count]`, the keys of random numbers; nil means the row numbers.
  ///   - context: `[count][C]`, for a conditional model; nil means none.
  /// - Throws: `KernelError` for a refused option. Samples of another dimension are a precondition failure.
  func logDensities(
    of samples: SampleMatrix, options: SolverOptions, backend: Backend, seed: UInt64, identifiers: [UInt64]?,
    context: SampleMatrix?
  ) throws -> LogDensities

  /// Draws samples, `[count][D]`: sample i depends only on `seed`, i, the model and its context.
  ///
  /// - Throws: `SolveFailure` if a sample's solve fails; `KernelError` for a refused option.
  func samples(
    count: Int, seed: UInt64, options: SolverOptions, backend: Backend, context: SampleMatrix?
  ) throws -> SampleMatrix
}

extension DensityModel {
  /// The mean negative log-likelihood of `dataset` in nats (of p(x|c) if it has a context), its standard error, and the
  /// solver's cost.
  ///
  /// Quantised data get the fixed noise of `Quantisation.evaluationEpoch`, so that results can be compared. That noise
  /// and the probes are keyed by the samples' identifiers.
  ///
  /// - Parameters:
  ///   - options: the trace is exact by default.
  ///   - seed: the seed of dequantisation noise and probes.
  /// - Throws: `TrainingError.noSamples`, `.dimensionMismatch`, `.contextMismatch`, `.outsideRange`,
  ///   `.outsideUnitInterval`; `KernelError` for a refused option.
  public func evaluate(
    on dataset: Dataset, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0
  ) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: self)
    let densities = try logDensities(
      of: dataset.continuousSamples(seed: seed), options: options, backend: backend, seed: seed,
      identifiers: dataset.identifiers, context: dataset.context)
    return EvaluationResult(densities, dimension: dimension, quantisation: dataset.quantisation)
  }
}
