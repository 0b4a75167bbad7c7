/// A method that solves the diffusion backward in s, from noise to data (Song et al. 2021, arXiv 2011.13456). It solves
/// the stochastic equation
///
///     dx = (f(s) x − g(s)² ∇log p) ds + g(s) dw,        ds < 0,
///
/// whose samples have, at every s, the distribution of the probability flow's.
public enum ReverseSampler: Sendable, Equatable {
  /// Equal steps h of s from 1 to `DiffusionProcess.cutoff`: `x ← x − (f x − g² ∇log p) h + g √h ξ`, with all terms
  /// taken at the step's beginning. The last step leaves noise of deviation g √h, which is 0.01 for 1,000 steps of
  /// `variancePreserving`.
  case eulerMaruyama(steps: Int = 1000)
  /// The same, with a Langevin step after each: `x ← x + δ ∇log p + √(2δ) ξ` with δ = 2 (r σ)², which corrects the
  /// distribution without moving s (the paper's algorithms 2 and 3; r = 0.16 there).
  ///
  /// The paper has `δ = 2 (r |ξ|/|∇log p|)²` with means over a batch, so a sample depends on its neighbours; with a
  /// sample's own lengths δ is unbounded where the score is 0. Here the length of the score is its average for noise,
  /// √D/σ, and that of ξ is √D.
  case predictorCorrector(steps: Int = 1000, signalToNoise: Double = 0.16)

  /// Number of steps of s.
  public var steps: Int {
    switch self {
    case .eulerMaruyama(let steps), .predictorCorrector(let steps, _): steps
    }
  }

  /// r; nil means no corrector.
  var signalToNoise: Double? {
    if case .predictorCorrector(_, let ratio) = self { ratio } else { nil }
  }

  /// Why it cannot run; nil if it can.
  public var problem: String? {
    // Every step uses two keys, and a key has 44 bits.
    if steps < 1 || steps > 1 << 40 { return "steps is \(steps), must be from 1 to 2^40" }
    if let ratio = signalToNoise, !(ratio > 0 && ratio.isFinite) {
      return "signalToNoise is \(ratio), must be positive and finite"
    }
    return nil
  }
}
