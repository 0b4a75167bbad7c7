// The gradient of a scalar block, as operations that are appended to the program that computes the block. The result is
// an ordinary program, so the existing code for tangents gives products with the Hessian, and the existing code for the
// backward pass gives third derivatives.
//
// The sweep is ordinary reverse-mode differentiation on blocks instead of numbers. With ȳ the cotangent of a result:
//   y = W x + b:     x̄ += Wᵀ ȳ, a transposed product with the same weights
//   y = a(z):        z̄ += a′(z) ∘ ȳ, where a′ is made of activations (`appendDerivative`)
//   y = u ∘ v:       ū += v ∘ ȳ, v̄ += u ∘ ȳ, summed over rows if v has one row
//   y = Σ x:         x̄ += ȳ in every row
// The first cotangent is the constant 1. A cotangent stays a constant as long as possible, which costs no operation.

extension FieldProgram {
  /// Appends the gradient of `potential`, a block of one row, with respect to each of `variables`. Returns one block
  /// per variable, with as many rows as the variable.
  ///
  /// The gradient with respect to a block that `potential` does not depend on is zero. The program gets no new
  /// parameters: the gradient uses the potential's weights (`Operation.transposed`).
  ///
  /// - Parameter variables: different blocks before `potential`, such as the state and the time.
  /// - Throws: `DerivativeError` if an operation has no derivative as a program.
  public mutating func appendGradient(of potential: Block, by variables: [Block]) throws(DerivativeError) -> [Block] {
    precondition(
      blockRows[potential.index] == 1, "a potential of \(blockRows[potential.index]) rows, must be 1")
    var sweep = GradientSweep(program: self, potential: potential, variables: variables)
    let gradient = try sweep.run()
    self = sweep.program
    return gradient
  }

  /// Appends `a′(z)` for `y = a(z)`; returns nil if it is 1.
  ///
  /// - Parameters:
  ///   - input: the block z; nil if the activation is fused with a linear operation.
  ///   - output: the block y.
  mutating func appendDerivative(
    of activation: Activation, input: Block?, output: Block
  ) throws(DerivativeError) -> Block? {
    func unfused() throws(DerivativeError) -> Block {
      guard let input else { throw .fusedActivation(activation) }
      return input
    }
    switch activation {
    case .identity: return nil
    case .tanh:  // 1 − y²
      return append(.scale(input: append(.multiply(output, output)), by: -1, plus: 1))
    case .sigmoid:  // y (1 − y)
      return append(.multiply(output, append(.scale(input: output, by: -1, plus: 1))))
    case .softplus: return append(.activation(input: try unfused(), .sigmoid))
    case .logcosh: return append(.activation(input: try unfused(), .tanh))
    case .sin:  // cos z
      return append(.activation(input: append(.scale(input: try unfused(), by: 1, plus: .pi / 2)), .sin))
    case .silu:  // s + y (1 − s), s = sigmoid z
      let sigmoid = append(.activation(input: try unfused(), .sigmoid))
      let rest = append(.scale(input: sigmoid, by: -1, plus: 1))
      return append(.add(sigmoid, append(.multiply(output, rest))))
    case .elu:  // 1 + y − max(z, 0): 1 above 0, eᶻ below
      let positive = append(.activation(input: try unfused(), .relu))
      let negated = append(.scale(input: positive, by: -1, plus: 1))
      return append(.add(output, negated))
    case .relu, .gelu: throw .activation(activation)
    }
  }

  /// Appends a linear layer whose activation `appendGradient` can differentiate, and returns its result.
  ///
  /// The activation is fused with the linear operation if its derivative can be computed from its result alone.
  /// Otherwise it is a separate operation.
  @discardableResult
  public mutating func appendSmoothLayer(input: Block, rows: Int, activation: Activation) -> Block {
    switch activation {
    case .identity, .tanh, .sigmoid: return append(.linear(input: input, rows: rows, activation: activation))
    default:
      return append(.activation(input: append(.linear(input: input, rows: rows, activation: .identity)), activation))
    }
  }
}
