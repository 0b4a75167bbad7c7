/// Dense layers one after the other, `y = Wₙ a(… a(W₁ x + b₁) …) + bₙ`: what stands before and behind an ordinary differential
/// equation inside a larger model, where a field program cannot, since it keeps its dimension.
///
/// Parameters are one flat array, layer after layer: the weight `[rows][columns]` row-major, then the bias `[rows]`, in the order
/// of a PyTorch `nn.Sequential`'s state_dict.
public struct DenseNetwork: Sendable, Equatable {
  /// Where one layer keeps its parameters in the flat array, and what is done to its rows.
  public struct Layout: Sendable, Equatable {
    public let rows: Int
    public let columns: Int
    public let weightOffset: Int
    public let biasOffset: Int
    /// The network's, but for the last layer, which has none.
    public let activation: Activation
  }

  public let inputDimension: Int
  /// Rows of each layer, the outputs' last; empty: the identity, without parameters.
  public let widths: [Int]
  /// Between two layers.
  public let activation: Activation
  /// In order.
  public let layouts: [Layout]

  public init(inputDimension: Int, widths: [Int], activation: Activation = .relu) {
    precondition(inputDimension >= 1, "inputDimension is \(inputDimension), must be at least 1")
    precondition(widths.allSatisfy { $0 >= 1 }, "layers' widths are \(widths), must be at least 1")
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
