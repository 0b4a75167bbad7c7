extension DiscreteFlow {
  /// `log p(x)` of every sample in nats, exact up to rounding.
  ///
  /// A sample whose numbers overflow has NaN and the status `notFinite`; a sample at which the transform has no density
  /// has −∞. Neither affects the others.
  ///
  /// - Parameters:
  ///   - options: only its number of threads and its type of states are used; nothing is solved.
  ///   - seed, identifiers: unused, because nothing is random here.
  ///   - context: must be nil, because no discrete flow is conditional.
  /// - Throws: `KernelError.singular` if the parameters make the map singular.
  public func logDensities(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> LogDensities {
    precondition(context == nil, "a context for a discrete flow, which reads none")
    func mapped<Scalar: FlowScalar>(in scalar: Scalar.Type) throws -> LogDensities {
      try logDensities(of: samples, by: map(threads: options.threads, backend: backend, scalar: scalar))
    }
    return try mapped(in: options.stateType.scalar)
  }

  /// As above, with an existing map.
  public func logDensities<Scalar: FlowScalar>(
    of samples: SampleMatrix, by map: any InvertibleMap<Scalar>
  ) throws -> LogDensities {
    checkDimension(of: samples)
    let image = try map.image(
      of: transform.forward(samples.values).converted(), parameters: parameters.converted(to: Scalar.self))
    let (states, transformed) = (image.states.doubles, transform.logDeterminants(samples.values))
    var (values, statuses) = ([Double](), [SampleStatus]())
    for sample in 0..<samples.count {
      let z = states[sample * dimension..<(sample + 1) * dimension]
      let value = base.logDensity(z) + image.logDeterminants[sample]
      // A base density may be zero: −∞ of finite numbers is a valid result.
      let isFinite = image.logDeterminants[sample].isFinite && z.allSatisfy(\.isFinite)
      values.append(isFinite ? value + transformed[sample] : .nan)
      statuses.append(isFinite ? .ok : .notFinite)
    }
    return LogDensities(
      values: values, statuses: statuses, timesReached: Array(repeating: 0, count: samples.count),
      evaluations: Array(repeating: 0, count: samples.count))
  }

  /// Draws samples of the flow, `[count][D]`.
  ///
  /// Sample i depends only on `seed`, i and the flow, not on `count`.
  ///
  /// - Parameters: as for `logDensities`.
  /// - Throws: `SolveFailure` if a sample's numbers overflow; `KernelError.singular`.
  public func samples(
    count: Int, seed: UInt64, options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> SampleMatrix {
    precondition(context == nil, "a context for a discrete flow, which reads none")
    let drawn = base.samples(count: count, dimension: dimension, seed: seed)
    func mapped<Scalar: FlowScalar>(in scalar: Scalar.Type) throws -> [Float] {
      try map(threads: options.threads, backend: backend, scalar: scalar).preimage(
        of: drawn.values.converted(), parameters: parameters.converted(to: scalar)
      ).floats
    }
    let states = try mapped(in: options.stateType.scalar)
    try SolveFailure.checkFinite(states, count: count, dimension: dimension, time: 0)
    return SampleMatrix(count: count, dimension: dimension, values: transform.inverse(states))
  }

  /// As `evaluate(on:options:backend:seed:)`, with an existing map.
  public func evaluate(
    on dataset: Dataset, by map: any InvertibleMap<Float>, seed: UInt64 = 0
  ) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: self)
    let densities = try logDensities(of: dataset.continuousSamples(seed: seed), by: map)
    return EvaluationResult(densities, dimension: dimension, quantisation: dataset.quantisation)
  }
}
