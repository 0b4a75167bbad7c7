extension DiscreteFlow {
  /// `log p(x)` of every sample, exact but for rounding.
  ///
  /// A sample whose numbers overflow has NaN and the status `notFinite`; one where the transform has no density has −∞. The
  /// others are not affected.
  ///
  /// - Parameters:
  ///   - options: its threads count; there is nothing to solve.
  ///   - seed, identifiers: as a continuous flow takes them; nothing is drawn here.
  ///   - context: must be nil: no discrete flow is conditional.
  /// - Throws: `KernelError.singular` where the parameters make the map singular.
  public func logDensities(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> LogDensities {
    precondition(context == nil, "a context for a discrete flow, which reads none")
    return try logDensities(
      of: samples, by: map(threads: options.threads, backend: backend, scalar: Float.self))
  }

  /// As above, by a map that is there already.
  public func logDensities(of samples: SampleMatrix, by map: any InvertibleMap<Float>) throws -> LogDensities {
    precondition(
      samples.dimension == dimension, "samples of \(samples.dimension) columns for a flow of \(dimension) dimensions")
    let image = try map.image(of: transform.forward(samples.values), parameters: parameters)
    let transformed = transform.logDeterminants(samples.values)
    var (values, statuses) = ([Double](), [SampleStatus]())
    for sample in 0..<samples.count {
      let z = image.states[sample * dimension..<(sample + 1) * dimension]
      let value = base.logDensity(z) + image.logDeterminants[sample]
      // A base may be zero somewhere: −∞ of finite numbers is an answer.
      let isFinite = image.logDeterminants[sample].isFinite && z.allSatisfy(\.isFinite)
      values.append(isFinite ? value + transformed[sample] : .nan)
      statuses.append(isFinite ? .ok : .notFinite)
    }
    return LogDensities(
      values: values, statuses: statuses, timesReached: Array(repeating: 0, count: samples.count),
      evaluations: Array(repeating: 0, count: samples.count))
  }

  /// Samples of the flow, `[count][D]`.
  ///
  /// Sample i depends on `seed`, i and the flow alone, not on `count`.
  ///
  /// - Parameters: as of `logDensities`.
  /// - Throws: `SolveFailure` where a sample's numbers overflow; `KernelError.singular`.
  public func samples(
    count: Int, seed: UInt64, options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> SampleMatrix {
    precondition(context == nil, "a context for a discrete flow, which reads none")
    let map = try map(threads: options.threads, backend: backend, scalar: Float.self)
    let drawn = base.samples(count: count, dimension: dimension, seed: seed)
    let states = try map.preimage(of: drawn.values, parameters: parameters)
    let failed = (0..<count).filter { sample in
      !states[sample * dimension..<(sample + 1) * dimension].allSatisfy(\.isFinite)
    }
    if let first = failed.first {
      throw SolveFailure(sample: first, time: 0, status: .notFinite, failed: failed.count, count: count)
    }
    return SampleMatrix(count: count, dimension: dimension, values: transform.inverse(states))
  }

  /// As `evaluate(on:options:backend:seed:)`, by a map that is there already.
  public func evaluate(
    on dataset: Dataset, by map: any InvertibleMap<Float>, seed: UInt64 = 0
  ) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: self)
    let densities = try logDensities(of: dataset.continuousPoints(seed: seed), by: map)
    return EvaluationResult(densities, dimension: dimension, quantisation: dataset.quantisation)
  }
}
