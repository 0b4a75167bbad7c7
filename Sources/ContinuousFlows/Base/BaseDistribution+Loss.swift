extension BaseDistribution {
  /// `scale · Σ −(log p₀(z) + log-determinant)` over samples that have arrived at z. That of the standard normal is computed by
  /// the solver; others by a closure.
  public func negativeLogLikelihood(dimension: Int, scale: Double) -> Loss<Float> {
    if self == .standardNormal { return .standardNormalNegativeLogLikelihood(scale: scale) }
    return .function { arrivals in
      var bars = ArrivalCotangents(for: arrivals)
      for sample in 0..<arrivals.count where arrivals.statuses[sample] == .ok {
        let rows = sample * dimension..<(sample + 1) * dimension
        var score: [Double]? = []
        let logDensity = logDensity(arrivals.states[rows], score: &score)
        bars.losses[sample] = -scale * (logDensity + arrivals.logDeterminants[sample])
        bars.logDeterminants[sample] = -scale
        for (place, slope) in zip(rows, score ?? []) { bars.states[place] = Float(-scale * slope) }
      }
      return bars
    }
  }
}
