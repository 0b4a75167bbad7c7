// The gradient of a scalar block, as operations appended to the program that makes it. What comes of it is a program like any
// other: its tangents are products with the Hessian, its reverse the third derivatives, by the bodies that are there already.
//
// The sweep is ordinary reverse accumulation, over symbols instead of numbers. With ȳ the cotangent of an operation's result:
//   y = W x + b:     x̄ += Wᵀ ȳ, a transposed product with the same weights
//   y = a(z):        z̄ += a′(z) ∘ ȳ, a′ itself being made of activations (`appendDerivative`)
//   y = u ∘ v:       ū += v ∘ ȳ, v̄ += u ∘ ȳ, summed over rows where v has one
//   y = Σ x:         x̄ += ȳ in every row
// A cotangent begins as the constant 1, and stays a constant as long as it can: then it costs no operation.

extension FieldProgram {
  /// Appends the gradient of `potential`, a block of one row, by each of `variables`; returns it, block by block, with as many rows
  /// as the variable has.
  ///
  /// Blocks that `potential` does not depend on have the gradient zero. The parameters stay as they are: the gradient's linear
  /// operations take the weights of the potential's (`Operation.transposed`).
  ///
  /// - Parameter variables: such as the state and the time; different blocks, each made before `potential`.
  /// - Throws: `DerivativeError` for an operation whose derivative is no program.
  public mutating func appendGradient(of potential: Block, by variables: [Block]) throws(DerivativeError) -> [Block] {
    precondition(
      blockRows[potential.index] == 1, "a potential of \(blockRows[potential.index]) rows, must be 1")
    var sweep = GradientSweep(program: self, potential: potential, variables: variables)
    let gradient = try sweep.run()
    self = sweep.program
    return gradient
  }

  /// Appends `a′(z)` for `y = a(z)`, both blocks; nil where it is 1.
  ///
  /// - Parameter input: z; nil where it is fused away.
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

  /// Appends a linear layer whose activation `appendGradient` can differentiate: fused where its derivative is made of its result,
  /// as its own operation else. Returns what the activation gives.
  @discardableResult
  public mutating func appendSmoothLayer(input: Block, rows: Int, activation: Activation) -> Block {
    switch activation {
    case .identity, .tanh, .sigmoid: return append(.linear(input: input, rows: rows, activation: activation))
    default:
      return append(.activation(input: append(.linear(input: input, rows: rows, activation: .identity)), activation))
    }
  }
}
