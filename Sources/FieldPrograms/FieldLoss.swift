/// A loss that is a sum over samples of a function of the field itself: of `f(x, t; θ)` and its divergence where each sample
/// is. Flow matching, score matching and regression on a field are such losses; no solve is part of them.
public enum FieldLoss<Scalar: FlowScalar>: Sendable {
  /// The cotangents `∂L/∂f` `[count][D]` and `∂L/∂(divergence)` `[count]` are known already; empty: zeros. Without those of the
  /// divergence it is not evaluated.
  case cotangents(velocities: [Scalar], divergences: [Double] = [])
  /// `scale · Σ wᵢ · ½|f(xᵢ, tᵢ) − targetᵢ|²`, `targets` `[count][D]`, `weights` `[count]`, nil: ones; `scale` is `1/count` for a
  /// mean over samples.
  case squaredDistance(from: [Scalar], weights: [Double]? = nil, scale: Double)
}

/// The derivative of a `FieldLoss`.
public struct FieldGradient<Scalar: FlowScalar>: Sendable {
  /// `∂L/∂θ`, `[P]`.
  public var parameters: [Scalar]
  /// `∂L/∂x`, `[count][D]`; zero where the field is not finite.
  public var states: [Scalar]
  /// Each sample's share of `∂L/∂t`, `[count]`, likewise.
  public var times: [Double]
  /// Each sample's loss, scaled and weighted; NaN where the field is not finite; empty for `.cotangents`.
  public var losses: [Double]
  /// `∂L/∂context`, `[count][C]`; zero where the field is not finite.
  public var context: [Scalar]

  public init(parameters: [Scalar], states: [Scalar], times: [Double], losses: [Double], context: [Scalar] = []) {
    self.parameters = parameters
    self.states = states
    self.times = times
    self.losses = losses
    self.context = context
  }
}
