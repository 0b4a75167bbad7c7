/// Weight decay, which pulls weights towards zero.
public enum WeightDecay: Sendable, Equatable {
  case none
  /// `λθ` is added to the gradient before the moments see it: Adam with an L2 penalty.
  case penalty(Double)
  /// θ is multiplied by `1 − rate · λ` in addition to the step: AdamW (Loshchilov and Hutter, ICLR 2019).
  case decoupled(Double)
}
