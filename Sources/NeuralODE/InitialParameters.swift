/// Where training begins.
public enum InitialParameters {
  /// Weights and biases uniform on `±1/√columns`, as PyTorch's `nn.Linear` has them, `[P]`; a callback's are 0.
  ///
  /// Numbers are keyed by (seed, layer, row, column), the bias being one column more: a layer's numbers do not depend on
  /// the widths of the others.
  ///
  /// - Parameter lastLayerScale: factor of the last layer's numbers. Below 1 the flow begins close to the identity.
  public static func uniform(for program: FieldProgram, seed: UInt64, lastLayerScale: Float = 1) -> [Float] {
    let layouts = program.linearLayouts
    var parameters = [Float](repeating: 0, count: program.parameterCount)
    for (layer, layout) in layouts.enumerated() {
      let source = RandomSource(seed: seed, stream: .initial, step: UInt64(layer))
      let bound = 1 / Double(layout.columns).squareRoot()
      let scale = layer == layouts.count - 1 ? lastLayerScale : 1
      for row in 0..<layout.rows {
        func number(_ column: Int) -> Float {
          Float(bound * (2 * source.uniform(sample: UInt64(row), dimension: column) - 1)) * scale
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
