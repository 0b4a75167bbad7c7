extension BaseDistribution {
  /// The loss `scale · Σ −(log p₀(z) + log-determinant)` over samples that have arrived at z. The solver computes it
  /// for the standard normal; a closure computes it for other bases.
  public func negativeLogLikelihood<Scalar: FlowScalar>(dimension: Int, scale: Double) -> Loss<Scalar> {
    if self == .standardNormal { return .standardNormalNegativeLogLikelihood(scale: scale) }
    return .function { solved in
      var cotangents = SampleCotangents(for: solved)
      for sample in 0..<solved.count where solved.statuses[sample] == .ok {
        let rows = sample * dimension..<(sample + 1) * dimension
        var score: [Double]? = []
        let logDensity = logDensity(solved.states[rows], score: &score)
        cotangents.losses[sample] = -scale * (logDensity + solved.logDeterminants[sample])
        cotangents.logDeterminants[sample] = -scale
        for (place, slope) in zip(rows, score ?? []) { cotangents.states[place] = Scalar(-scale * slope) }
      }
      return cotangents
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
