extension BaseDistribution {
  /// The loss `scale · Σ −(log p₀(z) + log-determinant)` over samples that have arrived at z. The solver computes it
  /// for the standard normal; a closure computes it for other bases.
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

  /// The regularisation to hand to the solver with that loss, so that regularisers are scaled by `scale` as well. The
  /// solver applies the scale itself for the standard normal, but not for a closure.
  public func regularisation(_ regularisation: Regularisation, scale: Double) -> Regularisation {
    if self == .standardNormal { return regularisation }
    return Regularisation(
      kineticEnergy: scale * regularisation.kineticEnergy, frobeniusNorm: scale * regularisation.frobeniusNorm)
  }
}
