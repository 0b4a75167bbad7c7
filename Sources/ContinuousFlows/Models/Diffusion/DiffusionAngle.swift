import CLibrary

/// A process at s in the coordinates that nets and flows work in.
///
/// With n = √(m² + σ²), ρ = atan(σ/m): `y = x/n = cos ρ x₀ + sin ρ ε`, of about variance 1 at every s whatever the process, and
/// ρ rises with s from about 0 to about π/2. The probability flow, `dx/ds = f x − ½ g² ∇log p` (Song et al., equation 13), is in
/// these coordinates, for every process,
///
///     dy/dρ = E[cos ρ ε − sin ρ x₀ | y],
///
/// (Salimans, Ho, "Progressive distillation", ICLR 2022, arXiv 2202.00512, appendix D; Karras et al. 2022, arXiv 2206.00364,
/// section 4, on time and scale being free to choose). Nothing in it is singular at the data's end, where the paper's has 1/σ.
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
    // Of a variance-preserving process n is 1, not nearly so.
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
  /// The flow's time of s: t = ρ(1) − ρ(s), so that t is 0 at the noise and rises towards the data: dt = −dρ.
  public func flowTime(at s: Double) -> Double {
    DiffusionAngle(self, at: 1).angle - DiffusionAngle(self, at: s).angle
  }
}
