/// A sequence of dense layers, `y = Wₙ a(… a(W₁ x + b₁) …) + bₙ`.
///
/// A model has such layers before or after a neural ODE. They may change the dimension, which a field program cannot.
///
/// The parameters are one flat array, layer after layer: first the weight `[rows][columns]` row-major, then the bias
/// `[rows]`. This is the order of the state_dict of a PyTorch `nn.Sequential`.
public struct DenseNetwork: Sendable, Equatable {
  /// The place of one layer's parameters in the flat array, and its activation.
  public struct Layout: Sendable, Equatable {
    public let rows: Int
    public let columns: Int
    public let weightOffset: Int
    public let biasOffset: Int
    /// The activation of the network; `.identity` for the last layer.
    public let activation: Activation
  }

  public let inputDimension: Int
  /// The number of rows of each layer; the last is that of the outputs. Empty means the identity, without parameters.
  public let widths: [Int]
  /// The activation between two layers.
  public let activation: Activation
  /// The layers in order.
  public let layouts: [Layout]

  public init(inputDimension: Int, widths: [Int], activation: Activation = .relu) {
    precondition(inputDimension >= 1, "inputDimension is \(inputDimension), must be at least 1")
    precondition(widths.allSatisfy { $0 >= 1 }, "the widths of layers are \(widths), must be at least 1")
    self.inputDimension = inputDimension
    self.widths = widths
    self.activation = activation
    var (columns, offset) = (inputDimension, 0)
    layouts = widths.indices.map { layer in
      let rows = widths[layer]
      defer { (columns, offset) = (rows, offset + rows * (columns + 1)) }
      return Layout(
        rows: rows, columns: columns, weightOffset: offset, biasOffset: offset + rows * columns,
        activation: layer == widths.count - 1 ? .identity : activation)
    }
  }

  public static func identity(dimension: Int) -> DenseNetwork {
    DenseNetwork(inputDimension: dimension, widths: [])
  }

  public var outputDimension: Int { widths.last ?? inputDimension }
  /// P, the length of the flat parameter array.
  public var parameterCount: Int { layouts.last.map { $0.biasOffset + $0.rows } ?? 0 }
}
