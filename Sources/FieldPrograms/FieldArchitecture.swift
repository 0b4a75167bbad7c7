/// A net as a field: layers that see the time in one of FFJORD's ways, with norms, residual connections, dropout, Fourier features
/// of the time and a context, as they are asked for.
///
/// ```swift
/// var architecture = FieldArchitecture(hidden: [64, 64], activation: .softplus, layer: .concatsquash)
/// architecture.dropout = 0.1
/// let program = architecture.program(stateDimension: 2)
/// ```
///
/// A hidden layer is `dropout(h + activation(norm(layer(h))))`, of which each part but the layer and the activation may be missing;
/// h is added where it is as wide. The last layer has none of them. The first sees `[x, context, time]`, in this order.
public struct FieldArchitecture: Sendable, Equatable {
  /// Widths of the hidden layers; empty for one layer from the state to its derivative.
  public var hidden: [Int]
  public var activation: Activation
  public var layer: TimeLayer
  /// Rows of a context that is given with every sample; 0: none.
  public var contextDimension: Int
  /// Frequencies of Fourier features, `sin(wᵢ t)` and `cos(wᵢ t)`, which layers see in place of t; 0: they see t.
  public var timeFeatures: Int
  /// Whether a hidden layer's input is added to its result, where both are of the same width.
  public var isResidual: Bool
  /// Whether a norm stands before every activation.
  public var hasLayerNorm: Bool
  /// The rate at which hidden layers' rows are dropped in training, in [0, 1); 0: none.
  public var dropout: Double
  /// Of `hyper` layers: hidden tanh units of the net that makes weights of the time, of which FFJORD's linear layers have 8; 0:
  /// weights are affine in the time.
  public var hyperUnits: Int

  public init(
    hidden: [Int], activation: Activation, layer: TimeLayer = .input, contextDimension: Int = 0, timeFeatures: Int = 0,
    isResidual: Bool = false, hasLayerNorm: Bool = false, dropout: Double = 0, hyperUnits: Int = 0
  ) {
    precondition(hidden.allSatisfy { $0 >= 1 }, "hidden layers' widths are \(hidden), must be at least 1")
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

  /// The field of a state of `stateDimension` rows. With `layer` `.input` and nothing else asked for it is
  /// `FieldProgram.multilayerPerceptron`, operation for operation.
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

  /// nil where no layer sees the time.
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

  /// A layer with its activation, which a plain product takes along.
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
