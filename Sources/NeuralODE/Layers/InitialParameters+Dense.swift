extension InitialParameters {
  /// The role of a dense network in a model; it keys the random numbers, apart from those of the field.
  public enum DenseRole: UInt64, Sendable {
    case encoder = 1
    case head = 2
  }

  /// Weights and biases uniform on `±1/√columns`, as in PyTorch's `nn.Linear`, `[P]`, keyed by (seed, role, layer, row,
  /// column), with the bias as one more column.
  public static func uniform(for network: DenseNetwork, seed: UInt64, role: DenseRole) -> [Float] {
    var parameters = [Float](repeating: 0, count: network.parameterCount)
    for (layer, layout) in network.layouts.enumerated() {
      // The layers of a field use the steps below 2³².
      let source = RandomSource(seed: seed, stream: .initial, step: role.rawValue << 40 + UInt64(layer))
      let bound = 1 / Double(layout.columns).squareRoot()
      for row in 0..<layout.rows {
        func number(_ column: Int) -> Float {
          Float(bound * (2 * source.uniform(sample: UInt64(row), dimension: column) - 1))
        }
        for column in 0..<layout.columns {
          parameters[layout.weightOffset + row * layout.columns + column] = number(column)
        }
        parameters[layout.biasOffset + row] = number(layout.columns)
      }
    }
    return parameters
  }
}
