/// A loss that is a sum over samples of a function of the field `f(x, t; θ)` and its divergence at each sample.
///
/// Flow matching, score matching and regression on a field are such losses. They need no solve.
public enum FieldLoss<Scalar: FlowScalar>: Sendable {
  /// A loss whose cotangents you know: `∂L/∂f` `[count][D]` and `∂L/∂(divergence)` `[count]`. Empty arrays stand for
  /// zeros. If `divergences` is empty, the divergence is not computed.
  case cotangents(velocities: [Scalar], divergences: [Double] = [])
  /// `scale · Σ wᵢ · ½|f(xᵢ, tᵢ) − targetᵢ|²` with targets `[count][D]` and weights wᵢ `[count]` (nil: all 1). A scale
  /// of `1/count` gives the mean over samples.
  case squaredDistance(from: [Scalar], weights: [Double]? = nil, scale: Double)
}

/// The derivative of a `FieldLoss`.
public struct FieldGradient<Scalar: FlowScalar>: Sendable {
  /// `∂L/∂θ`, `[P]`.
  public var parameters: [Scalar]
  /// `∂L/∂x`, `[count][D]`; zero for samples whose field is not finite.
  public var states: [Scalar]
  /// `∂L/∂t` of each sample's own time, `[count]`; zero for samples whose field is not finite.
  public var times: [Double]
  /// The scaled and weighted loss of each sample, `[count]`; NaN if its field is not finite; empty for `.cotangents`.
  public var losses: [Double]
  /// `∂L/∂context`, `[count][C]`; zero for samples whose field is not finite.
  public var context: [Scalar]

  public init(parameters: [Scalar], states: [Scalar], times: [Double], losses: [Double], context: [Scalar] = []) {
    self.parameters = parameters
    self.states = states
    self.times = times
    self.losses = losses
    self.context = context
  }
}
