extension BaseDistribution {
  /// `scale · Σ −(log p₀(z) + log-determinant)` over samples that have arrived at z. That of the standard normal is computed by
  /// the solver; others by a closure.
  public func negativeLogLikelihood<Scalar: FlowScalar>(dimension: Int, scale: Double) -> Loss<Scalar> {
    if self == .standardNormal { return .standardNormalNegativeLogLikelihood(scale: scale) }
    return .function { arrivals in
      var bars = ArrivalCotangents(for: arrivals)
      for sample in 0..<arrivals.count where arrivals.statuses[sample] == .ok {
        let rows = sample * dimension..<(sample + 1) * dimension
        var score: [Double]? = []
        let logDensity = logDensity(arrivals.states[rows], score: &score)
        bars.losses[sample] = -scale * (logDensity + arrivals.logDeterminants[sample])
        bars.logDeterminants[sample] = -scale
        for (place, slope) in zip(rows, score ?? []) { bars.states[place] = Scalar(-scale * slope) }
      }
      return bars
    }
  }

  /// What stands for `regularisation`, so many times of which that loss is to gain: the standard normal's scale is that of its
  /// regularisers too, a closure's is the closure's own.
  public func regularisation(_ regularisation: Regularisation, scale: Double) -> Regularisation {
    if self == .standardNormal { return regularisation }
    return Regularisation(
      kineticEnergy: scale * regularisation.kineticEnergy, frobeniusNorm: scale * regularisation.frobeniusNorm)
  }
}
