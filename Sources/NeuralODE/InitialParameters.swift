/// Where training begins.
public enum InitialParameters {
  /// Weights and biases uniform on `±1/√columns`, as PyTorch's `nn.Linear` has them, `[P]`; norms with gain 1 and bias 0; Fourier
  /// features with frequencies π i, and phases 0 and π/2; a callback's are 0.
  ///
  /// Numbers are keyed by (seed, layer, row, column), the bias being one column more: a layer's numbers do not depend on
  /// the widths of the others.
  ///
  /// - Parameter lastLayerScale: factor of the last layer's numbers, which is of all linear operations without an activation that
  ///   dx/dt is a sum of, or of products with them. Below 1 the flow begins close to the identity.
  public static func uniform(for program: FieldProgram, seed: UInt64, lastLayerScale: Float = 1) -> [Float] {
    var parameters = [Float](repeating: 0, count: program.parameterCount)
    let last = lastLayers(of: program)
    for (layer, layout) in program.linearLayouts.enumerated() {
      if program.isFourierFeatures(layout.operation) {
        fillFourierFeatures(layout, &parameters)
        continue
      }
      let source = RandomSource(seed: seed, stream: .initial, step: UInt64(layer))
      let bound = 1 / Double(layout.columns).squareRoot()
      let scale = last.contains(layout.operation) ? lastLayerScale : 1
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
    for layout in program.normLayouts {
      for row in 0..<layout.rows { parameters[layout.gainOffset + row] = 1 }
    }
    return parameters
  }

  private static func fillFourierFeatures(_ layout: FieldProgram.LinearLayout, _ parameters: inout [Float]) {
    let count = layout.rows / 2
    for row in 0..<layout.rows {
      parameters[layout.weightOffset + row] = Float(Double.pi * Double(row % count + 1))
      parameters[layout.biasOffset + row] = row < count ? 0 : Float(Double.pi / 2)
    }
  }

  /// From dx/dt back through sums, products and slices.
  private static func lastLayers(of program: FieldProgram) -> Set<Int> {
    var found: Set<Int> = []
    var waiting = [program.operations.count]
    while let block = waiting.popLast() {
      guard block > 0 else { continue }
      switch program.operations[block - 1] {
      case .linear(_, _, let activation):
        if activation == .identity || block == program.operations.count { found.insert(block - 1) }
      case .add, .multiply, .slice, .scale, .sum: waiting += program.operations[block - 1].inputs.map(\.index)
      default: break
      }
    }
    return found
  }
}
