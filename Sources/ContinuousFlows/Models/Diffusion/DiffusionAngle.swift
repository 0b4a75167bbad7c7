import CLibrary

/// A diffusion process at s in the coordinates of the net and the flow.
///
/// With n = √(m² + σ²) and ρ = atan(σ/m): `y = x/n = cos ρ x₀ + sin ρ ε` has variance of about 1 at every s, for every
/// process. ρ rises with s from about 0 to about π/2. In these coordinates the probability flow `dx/ds = f x − ½ g²
/// ∇log p` (Song et al., equation 13) is the same for every process,
///
///     dy/dρ = E[cos ρ ε − sin ρ x₀ | y],
///
/// (Salimans, Ho, "Progressive distillation", ICLR 2022, arXiv 2202.00512, appendix D; Karras et al. 2022, arXiv
/// 2206.00364, section 4, on the free choice of time and scale). It is regular at the data's end, where the original
/// has 1/σ.
struct DiffusionAngle {
  /// ρ.
  let angle: Double
  /// cos ρ = m/n and sin ρ = σ/n.
  let cosine: Double
  let sine: Double
  /// n.
  let scale: Double

  init(_ process: DiffusionProcess, at s: Double) {
    let (mean, deviation) = (process.meanFactor(at: s), process.deviation(at: s))
    // For a variance-preserving process n is exactly 1, so rounding is avoided.
    if case .variancePreserving = process {
      scale = 1
    } else {
      scale = (mean * mean + deviation * deviation).squareRoot()
    }
    (cosine, sine) = (mean / scale, deviation / scale)
    angle = atan2(deviation, mean)
  }
}

extension DiffusionProcess {
  /// The flow's time at s: t = ρ(1) − ρ(s), so t is 0 at the noise and rises towards the data: dt = −dρ.
  public func flowTime(at s: Double) -> Double {
    DiffusionAngle(self, at: 1).angle - DiffusionAngle(self, at: s).angle
  }
}
