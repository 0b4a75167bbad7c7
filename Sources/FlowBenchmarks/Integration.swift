import NeuralODE

/// How the timed training steps are solved from t = 1 to 0, with one Rademacher probe for the divergence.
public enum Integration: String, Sendable, CaseIterable {
  /// 20 equal steps of rk4.
  case fixed
  /// dopri5 within 1e-5, absolute and relative; each sample has its own steps.
  case adaptive

  /// Allowed relative difference between a step in Float and the same step in Double.
  ///
  /// With fixed steps only rounding differs: an ulp of 1.2e-7 in each of 80 evaluations, whose sums have up to 1,024
  /// terms, is 1.2e-7 · √(80 · 1024) = 3.4e-5; a factor of three allows for differences that grow along t. Adaptive
  /// steps differ as well, because each solution is within rtol = 1e-5 per step of the exact one: ten steps, times ten
  /// for growth.
  var tolerance: Double {
    switch self {
    case .fixed: 1e-4
    case .adaptive: 1e-3
    }
  }

  /// "rk4 20" or "dopri5 1e-5", for tables.
  public var label: String {
    switch self {
    case .fixed: "rk4 20"
    case .adaptive: "dopri5 1e-5"
    }
  }

  func options(threads: Int) -> SolverOptions {
    switch self {
    case .fixed: SolverOptions(method: "rk4", control: .fixed(steps: 20), trace: .hutchinson, threads: threads)
    case .adaptive:
      SolverOptions(method: "dopri5", control: .perSample(rtol: 1e-5, atol: 1e-5), trace: .hutchinson, threads: threads)
    }
  }
}
