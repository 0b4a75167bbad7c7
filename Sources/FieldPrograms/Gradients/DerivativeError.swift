/// Why a program has no gradient that is a program too.
public enum DerivativeError: Error, Equatable, CustomStringConvertible {
  /// Its derivative is no program of activations and products, as gelu's, or jumps, so that a field made of it would, as relu's.
  case activation(Activation)
  /// Its derivative needs what is before it, and it is fused with a linear operation: append it as one of its own.
  case fusedActivation(Activation)
  /// A norm, dropout, callback or transposed product.
  case operation(String)

  public var description: String {
    switch self {
    case .activation(let activation):
      "a potential's gradient as a field needs an activation with a smooth derivative: "
        + "tanh, softplus, silu, sigmoid, elu, sin or logcosh, not \(activation.rawValue)"
    case .fusedActivation(let activation):
      "\(activation.rawValue) in a potential has to be an operation of its own, behind a linear one without activation"
    case .operation(let name): "a potential's gradient as a field goes through no \(name)"
    }
  }
}
