import CLibrary

/// A diffusion that turns data into noise, `dx = f(s) x ds + g(s) dw` for s from 0 (data) to 1 (noise): the three of
/// Song et al., "Score-based generative modeling through stochastic differential equations" (ICLR 2021, arXiv
/// 2011.13456, section 3.4).
///
/// Given x₀, x at s is `m(s) x₀ + σ(s) ε` with ε ~ N(0, I). With β(s) = β₀ + s (β₁ − β₀), B = ∫₀ˢ β:
///
/// | | f | g² | m | σ |
/// |---|---|---|---|---|
/// | `variancePreserving` | −½ β | β | e^(−B/2) | √(1 − e^(−B)) |
/// | `subVariancePreserving` | −½ β | β (1 − e^(−2B)) | e^(−B/2) | 1 − e^(−B) |
/// | `varianceExploding` | 0 | 2 σ² log(σ₁/σ₀) | 1 | σ₀ (σ₁/σ₀)^s |
///
/// x is standardised data, with variance of about 1. s has no unit and rises towards the noise; a flow's time t rises
/// towards the data: `flowTime`.
public enum DiffusionProcess: Sendable, Equatable {
  case variancePreserving(betaStart: Double = 0.1, betaEnd: Double = 20)
  case subVariancePreserving(betaStart: Double = 0.1, betaEnd: Double = 20)
  /// At s = 0 it already has noise of deviation σ₀.
  case varianceExploding(deviationStart: Double = 0.01, deviationEnd: Double = 50)

  /// The s at which x stands for the data, in training, for densities and for samples of every kind. At s = 0 the score
  /// of variance-preserving processes is infinite.
  ///
  /// The density at s is that of the data with noise of deviation σ(s), which changes the log-density of data with
  /// features of width ℓ by about σ²/(2ℓ²). Here σ is 1e-3 for `variancePreserving`, less for `subVariancePreserving`
  /// and 0.01 for `varianceExploding`: features of ℓ = 0.05 change by 2e-4 nats. At s = 1e-3, where the paper's code
  /// ends its samples, σ is 0.0105 and the change is 0.02 nats.
  public static let cutoff = 1e-5

  /// Its name in files and on the command line.
  public var kind: String {
    switch self {
    case .variancePreserving: "vp"
    case .subVariancePreserving: "sub-vp"
    case .varianceExploding: "ve"
    }
  }

  /// The three processes with the constants of the paper.
  public static let all: [DiffusionProcess] = [.variancePreserving(), .varianceExploding(), .subVariancePreserving()]

  /// Why it does not turn data into noise; nil if it does.
  public var problem: String? {
    switch self {
    case .variancePreserving(let start, let end), .subVariancePreserving(let start, let end):
      start > 0 && end >= start && end.isFinite ? nil : "beta from \(start) to \(end): it must be positive and not fall"
    case .varianceExploding(let start, let end):
      start > 0 && end > start && end.isFinite ? nil : "deviation from \(start) to \(end): it must be positive and rise"
    }
  }

  /// f(s): the drift is f(s) x.
  public func drift(at s: Double) -> Double {
    switch self {
    case .variancePreserving, .subVariancePreserving: -0.5 * beta(at: s)
    case .varianceExploding: 0
    }
  }

  /// g(s), not negative.
  public func diffusion(at s: Double) -> Double {
    switch self {
    case .variancePreserving: beta(at: s).squareRoot()
    case .subVariancePreserving: (beta(at: s) * -expm1(-2 * betaIntegral(to: s))).squareRoot()
    case .varianceExploding(let start, let end): deviation(at: s) * (2 * log(end / start)).squareRoot()
    }
  }

  /// m(s).
  public func meanFactor(at s: Double) -> Double {
    switch self {
    case .variancePreserving, .subVariancePreserving: exp(-0.5 * betaIntegral(to: s))
    case .varianceExploding: 1
    }
  }

  /// σ(s), the deviation of the noise.
  public func deviation(at s: Double) -> Double {
    switch self {
    case .variancePreserving: (-expm1(-betaIntegral(to: s))).squareRoot()
    case .subVariancePreserving: -expm1(-betaIntegral(to: s))
    case .varianceExploding(let start, let end): start * exp(s * log(end / start))
    }
  }

  /// The standard deviation of x at s = 1 under the model, N(0, ·²): the paper's value, which ignores the data.
  public var baseDeviation: Double {
    switch self {
    case .variancePreserving, .subVariancePreserving: 1
    case .varianceExploding(_, let end): end
    }
  }

  /// β(s) of the variance-preserving kinds.
  private func beta(at s: Double) -> Double {
    guard let (start, end) = betas else { return 0 }
    return start + s * (end - start)
  }

  /// B(s).
  private func betaIntegral(to s: Double) -> Double {
    guard let (start, end) = betas else { return 0 }
    return start * s + 0.5 * s * s * (end - start)
  }

  private var betas: (start: Double, end: Double)? {
    switch self {
    case .variancePreserving(let start, let end), .subVariancePreserving(let start, let end): (start, end)
    case .varianceExploding: nil
    }
  }
}

extension DiffusionProcess {
  /// s where `2 log(σ/m)` is `logRatio`: the inverse of `logRatio(at:)`.
  ///
  /// With r = (σ/m)²: for the variance-preserving process e^B = 1 + r; for sub-VP σ/m = e^(B/2) − e^(−B/2), so B = 2
  /// asinh(√r/2). Then B = β₀ s + ½ (β₁ − β₀) s² is solved for s in the form without cancellation.
  public func time(ofLogRatio logRatio: Double) -> Double {
    let integral: Double
    switch self {
    case .variancePreserving: integral = logRatio > 0 ? logRatio + log1p(exp(-logRatio)) : log1p(exp(logRatio))
    case .subVariancePreserving: integral = 2 * asinh(0.5 * exp(0.5 * logRatio))
    case .varianceExploding(let start, let end): return (0.5 * logRatio - log(start)) / log(end / start)
    }
    guard let (start, end) = betas else { return 0 }
    return 2 * integral / (start + (start * start + 2 * (end - start) * integral).squareRoot())
  }

  /// `2 log(σ(s)/m(s))`, the logarithm of the ratio of noise to signal. It rises with s, by g²/σ² (Kingma et al. 2021,
  /// arXiv 2107.00630).
  public func logRatio(at s: Double) -> Double { 2 * log(deviation(at: s) / meanFactor(at: s)) }
}
