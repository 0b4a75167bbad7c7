/// The reason why the gradient of a potential cannot be expressed as a field program.
public enum DerivativeError: Error, Equatable, CustomStringConvertible {
  /// The derivative of this activation is not made of activations and products (gelu), or it jumps, which would make
  /// the field discontinuous (relu).
  case activation(Activation)
  /// The derivative of this activation needs its input, which is not a block because the activation is fused with a
  /// linear operation. Append the activation as a separate operation.
  case fusedActivation(Activation)
  /// The program has a layer norm, dropout, callback or transposed product before the potential.
  case operation(String)

  public var description: String {
    switch self {
    case .activation(let activation):
      "a field that is the gradient of a potential needs an activation with a smooth derivative: "
        + "use tanh, softplus, silu, sigmoid, elu, sin or logcosh, not \(activation.rawValue)"
    case .fusedActivation(let activation):
      "\(activation.rawValue) in a potential must not be fused with a linear operation: append it as a separate "
        + "operation after a linear one without activation"
    case .operation(let name): "a potential whose gradient is a field must not contain a \(name): remove it"
    }
  }
}
