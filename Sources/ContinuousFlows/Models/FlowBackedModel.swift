/// A model whose densities and samples are those of a continuous flow.
public protocol FlowBackedModel: DensityModel {
  /// The one flow that gives both, so that samples have the density that is reported.
  var flow: ContinuousFlow { get }
}

extension FlowBackedModel {
  /// `log p(x)` of every sample in nats; see `ContinuousFlow.logDensities`.
  public func logDensities(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> LogDensities {
    try flow.logDensities(
      of: samples, options: options, backend: backend, seed: seed, identifiers: identifiers, context: context)
  }

  /// Draws samples, `[count][D]`; see `ContinuousFlow.samples`.
  public func samples(
    count: Int, seed: UInt64, options: SolverOptions = ContinuousFlow.samplingOptions, backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> SampleMatrix {
    try flow.samples(count: count, seed: seed, options: options, backend: backend, context: context)
  }
}
