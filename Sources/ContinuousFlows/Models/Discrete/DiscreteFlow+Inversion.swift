/// Round trips and Jacobians of a discrete flow. It solves nothing, so the only error is rounding.
extension DiscreteFlow {
  /// The error of a round trip from samples of the data, `[count][D]`, to the base and back: x, `z = g(x)`, `g⁻¹(z)`.
  ///
  /// - Parameters:
  ///   - options: only its number of threads is used.
  ///   - seed, identifiers: unused, because nothing is random here.
  ///   - context: must be nil, because no discrete flow is conditional.
  ///   - scalar: the type of the states, `Float` or `Double`.
  /// - Throws: `KernelError.singular` if the parameters make the map singular. A sample whose numbers overflow is
  ///   counted as failed.
  public func inversionError<Scalar: FlowScalar>(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil, scalar: Scalar.Type = Float.self
  ) throws -> InversionError {
    checkDimension(of: samples)
    let states = transform.forward(samples.values).map { Scalar($0) }
    return try roundTrip(states, options: options, backend: backend, context: context) { map, parameters in
      let there = try map.image(of: states, parameters: parameters)
      return (there, try map.inverse(of: there.states, parameters: parameters))
    }
  }

  /// The error of a round trip from samples of the base, as `samples` draws them, to the data and back: z, `x =
  /// g⁻¹(z)`, `g(x)`; parameters as above.
  public func inversionErrorOfSamples<Scalar: FlowScalar>(
    count: Int, seed: UInt64, options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil, scalar: Scalar.Type = Float.self
  ) throws -> InversionError {
    let states = base.samples(count: count, dimension: dimension, seed: seed).values.map { Scalar($0) }
    return try roundTrip(states, options: options, backend: backend, context: context) { map, parameters in
      let there = try map.inverse(of: states, parameters: parameters)
      return (there, try map.image(of: there.states, parameters: parameters))
    }
  }

  /// Jacobians of the map from data to base in Double, and the log-determinants that the layers add up. D reverse
  /// passes each give one row for all samples. Parameters as above.
  public func jacobians(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> FlowJacobians {
    precondition(context == nil, "a context for a discrete flow, which reads none")
    checkDimension(of: samples)
    let map = try map(threads: options.threads, backend: backend, scalar: Double.self)
    let (states, wide) = (transform.forward(samples.values).map { Double($0) }, parameters.map { Double($0) })
    let image = try map.image(of: states, parameters: wide)
    let arrived = image.finiteSamples(dimension: dimension)
    let zeros = [Double](repeating: 0, count: samples.count)
    let rows = try jacobianRows(dimension: dimension, arrived: arrived) { cotangents in
      try map.gradient(at: states, parameters: wide) { _ in
        MapCotangents(states: cotangents, logDeterminants: zeros)
      }.states
    }
    return FlowJacobians(
      rows, latent: image.states, integrated: image.logDeterminants,
      statuses: arrived.map { $0 ? .ok : .notFinite }, base: base,
      transformed: transform.logDeterminants(samples.values))
  }

  private func roundTrip<Scalar: FlowScalar>(
    _ states: [Scalar], options: SolverOptions, backend: Backend, context: SampleMatrix?,
    _ ways: (any InvertibleMap<Scalar>, _ parameters: [Scalar]) throws -> (
      there: MapImage<Scalar>, back: MapImage<Scalar>
    )
  ) throws -> InversionError {
    precondition(context == nil, "a context for a discrete flow, which reads none")
    let (there, back) = try ways(
      map(threads: options.threads, backend: backend, scalar: Scalar.self), parameters.map { Scalar($0) })
    let (first, second) = (there.finiteSamples(dimension: dimension), back.finiteSamples(dimension: dimension))
    return InversionError(
      from: states, to: back.states, logDeterminants: zip(there.logDeterminants, back.logDeterminants).map { $0 + $1 },
      arrived: first.indices.filter { first[$0] && second[$0] }, evaluations: 0)
  }
}

extension MapImage {
  /// For each sample, whether all its numbers are finite, `[count]`.
  fileprivate func finiteSamples(dimension: Int) -> [Bool] {
    logDeterminants.indices.map { sample in
      logDeterminants[sample].isFinite && states[sample * dimension..<(sample + 1) * dimension].allSatisfy(\.isFinite)
    }
  }
}
