/// A neural network as a vector field.
///
/// Its layers depend on the time in one of FFJORD's ways. Layer norms, residual connections, dropout, Fourier features
/// of the time and a context are optional.
///
/// ```swift
/// var architecture = FieldArchitecture(hidden: [64, 64], activation: .softplus, layer: .concatsquash)
/// architecture.dropout = 0.1
/// let program = architecture.program(stateDimension: 2)
/// ```
///
/// A hidden layer is `dropout(h + activation(norm(layer(h))))`. Each part except the layer and the activation is
/// optional, and h is added only if it has the same width. The last layer is a plain layer. The input of the first
/// layer is `[x, context, time]`, in this order.
public struct FieldArchitecture: Sendable, Equatable {
  /// Widths of the hidden layers; empty for one layer from the state to its derivative.
  public var hidden: [Int]
  public var activation: Activation
  public var layer: TimeLayer
  /// The number of rows of the context that every sample has; 0 for no context.
  public var contextDimension: Int
  /// The number of frequencies wᵢ of Fourier features `sin(wᵢ t)` and `cos(wᵢ t)`, which replace t as the input of
  /// layers; 0 for t itself.
  public var timeFeatures: Int
  /// Whether the input of a hidden layer is added to its output if both have the same width.
  public var isResidual: Bool
  /// Whether a layer norm comes before every activation.
  public var hasLayerNorm: Bool
  /// The rate at which rows of hidden layers are dropped in training, in [0, 1); 0 for no dropout.
  public var dropout: Double
  /// For `hyper` layers, the number of tanh units of the hypernetwork that computes the weights from the time (FFJORD's
  /// linear layers have 8). With 0, the weights are affine in the time.
  public var hyperUnits: Int

  public init(
    hidden: [Int], activation: Activation, layer: TimeLayer = .input, contextDimension: Int = 0, timeFeatures: Int = 0,
    isResidual: Bool = false, hasLayerNorm: Bool = false, dropout: Double = 0, hyperUnits: Int = 0
  ) {
    precondition(hidden.allSatisfy { $0 >= 1 }, "the widths of hidden layers are \(hidden), must be at least 1")
    precondition(contextDimension >= 0, "contextDimension is \(contextDimension), must not be negative")
    precondition(timeFeatures >= 0, "timeFeatures is \(timeFeatures), must not be negative")
    precondition((0..<1).contains(dropout), "dropout is \(dropout), must be in [0, 1)")
    precondition(hyperUnits >= 0, "hyperUnits is \(hyperUnits), must not be negative")
    self.hidden = hidden
    self.activation = activation
    self.layer = layer
    self.contextDimension = contextDimension
    self.timeFeatures = timeFeatures
    self.isResidual = isResidual
    self.hasLayerNorm = hasLayerNorm
    self.dropout = dropout
    self.hyperUnits = hyperUnits
  }

  /// The field program for a state of `stateDimension` rows.
  ///
  /// With the layer `.input` and no options, it has the same operations as `FieldProgram.multilayerPerceptron`.
  public func program(stateDimension: Int) -> FieldProgram {
    var program = FieldProgram(stateDimension: stateDimension)
    var block = FieldProgram.Block.state
    if contextDimension > 0 {
      let context = program.append(.context(rows: contextDimension))
      block = program.append(.concatenate(block, context))
    }
    let time = timeBlocks(in: &program)
    if let time, layer == .input { block = program.append(.concatenate(block, time.features)) }
    for width in hidden { block = hiddenLayer(of: block, width, time, in: &program) }
    append(to: &program, of: block, rows: stateDimension, .identity, time)
    return program
  }

  /// Appends the time and its features; nil if no layer depends on the time.
  private func timeBlocks(in program: inout FieldProgram) -> FieldProgram.TimeBlocks? {
    if layer == .ignore { return nil }
    let time = program.append(.time)
    let seesFeatures = timeFeatures > 0 && layer != .hyper && layer != .blend
    return .init(
      time: time, features: seesFeatures ? program.appendFourierFeatures(of: time, count: timeFeatures) : time)
  }

  private func hiddenLayer(
    of input: FieldProgram.Block, _ width: Int, _ time: FieldProgram.TimeBlocks?, in program: inout FieldProgram
  ) -> FieldProgram.Block {
    var block: FieldProgram.Block
    if hasLayerNorm {
      block = append(to: &program, of: input, rows: width, .identity, time)
      block = program.append(.layerNorm(input: block))
      if activation != .identity { block = program.append(.activation(input: block, activation)) }
    } else {
      block = append(to: &program, of: input, rows: width, activation, time)
    }
    if isResidual && program.blockRows[input.index] == width { block = program.append(.add(input, block)) }
    if dropout > 0 { block = program.append(.dropout(input: block, rate: dropout)) }
    return block
  }

  /// Appends a layer with its activation. If the layer is one linear operation, the activation is fused with it.
  @discardableResult
  private func append(
    to program: inout FieldProgram, of input: FieldProgram.Block, rows: Int, _ activation: Activation,
    _ time: FieldProgram.TimeBlocks?
  ) -> FieldProgram.Block {
    guard let time, ![.input, .ignore, .concat].contains(layer) else {
      let seen = time.map { program.seen(input, by: layer, $0) } ?? input
      return program.append(.linear(input: seen, rows: rows, activation: activation))
    }
    let block = program.append(layer, of: input, rows: rows, seeing: time, hyperUnits: hyperUnits)
    return activation == .identity ? block : program.append(.activation(input: block, activation))
  }
}
