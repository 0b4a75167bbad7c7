import CLibrary

/// The path of flow matching from a sample z of the base to a sample x of the data, for s from 0 to 1: `a(s) z + b(s) x
/// + g(s) ε` with ε ~ N(0, I). The field learns the rate of change, `a′ z + b′ x + g′ ε`.
public enum ProbabilityPath: Sendable, Equatable {
  /// `(1 − s) z + s x + deviation · ε` (Lipman et al. 2023, arXiv 2210.02747; Tong et al. 2024, arXiv 2302.00482).
  case linear(deviation: Double = 0)
  /// `cos(π s/2) z + sin(π s/2) x`: the variance stays 1 if z and x are independent and have variance 1 (Albergo,
  /// Vanden-Eijnden 2023, arXiv 2209.15571).
  case trigonometric
  /// The path of the variance-preserving diffusion, `√(1 − c²) z + c x` with `log c = −¼ (1 − s)² (β₁ − β₀) − ½ (1 − s)
  /// β₀` (Song et al. 2021, arXiv 2011.13456; Lipman et al., section 4.1). Its rate of change is infinite at s = 1, so
  /// s ends at 1 − `cutoff`.
  case variancePreserving(betaStart: Double = 0.1, betaEnd: Double = 20, cutoff: Double = 1e-3)
  /// `(1 − s) z + s x + deviation · sin²(π s) ε`: a stochastic interpolant that is smooth at both ends (Albergo, Boffi,
  /// Vanden-Eijnden 2023, arXiv 2303.08797).
  case stochasticInterpolant(deviation: Double = 0.5)

  /// a, b and g at s, and their derivatives.
  func coefficients(at s: Double) -> (base: Rate, data: Rate, noise: Rate) {
    let none = Rate(value: 0, slope: 0)
    switch self {
    case .linear(let deviation):
      return (Rate(value: 1 - s, slope: -1), Rate(value: s, slope: 1), Rate(value: deviation, slope: 0))
    case .trigonometric:
      let angle = Double.pi / 2
      return (
        Rate(value: cos(angle * s), slope: -angle * sin(angle * s)),
        Rate(value: sin(angle * s), slope: angle * cos(angle * s)), none
      )
    case .variancePreserving(let start, let end, _):
      let rest = 1 - s
      let mean = exp(-0.25 * rest * rest * (end - start) - 0.5 * rest * start)
      let meanSlope = mean * (0.5 * rest * (end - start) + 0.5 * start)
      let deviation = (1 - mean * mean).squareRoot()
      return (Rate(value: deviation, slope: -mean * meanSlope / deviation), Rate(value: mean, slope: meanSlope), none)
    case .stochasticInterpolant(let deviation):
      let wave = sin(Double.pi * s)
      return (
        Rate(value: 1 - s, slope: -1), Rate(value: s, slope: 1),
        Rate(value: deviation * wave * wave, slope: deviation * Double.pi * sin(2 * Double.pi * s))
      )
    }
  }

  /// A function of s and its derivative.
  struct Rate {
    let value: Double
    let slope: Double
  }

  /// The largest s.
  var end: Double {
    if case .variancePreserving(_, _, let cutoff) = self { 1 - cutoff } else { 1 }
  }

  /// Why the path is invalid; nil if it is valid.
  var problem: String? {
    switch self {
    case .linear(let deviation), .stochasticInterpolant(let deviation):
      deviation >= 0 && deviation.isFinite ? nil : "deviation is \(deviation), must not be negative"
    case .trigonometric: nil
    case .variancePreserving(let start, let end, let cutoff):
      start >= 0 && end > start && end.isFinite && cutoff > 0 && cutoff < 1
        ? nil
        : "beta from \(start) to \(end), cutoff \(cutoff): beta must rise from 0 or more, cutoff lie between 0 and 1"
    }
  }
}
