import CLibrary

/// The upper tail of the standard normal, `q = P(Z > z)`, and its inverse.
enum NormalTail {
  static func probability(_ z: Double) -> Double { 0.5 * erfc(z * 0.5.squareRoot()) }

  /// The z ≥ 0 whose upper tail is `q`, for q in (0, 0.5].
  ///
  /// Abramowitz and Stegun 26.2.23, within 4.5e-4, then two Halley steps, each of which cubes the error.
  static func quantile(_ q: Double) -> Double {
    let t = (-2 * log(q)).squareRoot()
    let numerator = 2.515517 + t * (0.802853 + t * 0.010328)
    let denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    var z = t - numerator / denominator
    for _ in 0..<2 {
      // P(Z > z) − q over its derivative −φ(z); φ′ = −zφ.
      let step = (probability(z) - q) * (2 * Double.pi).squareRoot() * exp(0.5 * z * z)
      z += step / (1 + 0.5 * z * step)
    }
    return z
  }
}
