/// A model whose densities and samples are those of a continuous flow.
public protocol FlowBackedModel: DensityModel {
  /// The flow that gives log-densities.
  var densityFlow: ContinuousFlow { get }
  /// The flow that gives samples.
  var samplingFlow: ContinuousFlow { get }
}

extension FlowBackedModel {
  /// `log p(x)` of every sample in nats; see `ContinuousFlow.logDensities`.
  public func logDensities(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> LogDensities {
    try densityFlow.logDensities(
      of: samples, options: options, backend: backend, seed: seed, identifiers: identifiers, context: context)
  }

  /// Draws samples, `[count][D]`; see `ContinuousFlow.samples`.
  public func samples(
    count: Int, seed: UInt64, options: SolverOptions = ContinuousFlow.samplingOptions, backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> SampleMatrix {
    try samplingFlow.samples(count: count, seed: seed, options: options, backend: backend, context: context)
  }
}
