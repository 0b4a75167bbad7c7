/// Initial parameters for training.
public enum InitialParameters {
  /// Weights and biases uniform on `±1/√columns`, as in PyTorch's `nn.Linear`, `[P]`. Norms have gain 1 and bias 0,
  /// Fourier features have frequencies π i and phases 0 and π/2, and a callback's parameters are 0.
  ///
  /// Random numbers are keyed by (seed, layer, row, column), with the bias as one more column: a layer's numbers do not
  /// depend on the widths of the others.
  ///
  /// - Parameter lastLayerScale: a factor of the last layer's numbers. The last layer is every linear operation without
  ///   an activation that contributes to dx/dt as a term or factor. Below 1 the flow begins close to the identity.
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

  /// Goes back from dx/dt through sums, products and slices.
  private static func lastLayers(of program: FieldProgram) -> Set<Int> {
    var found: Set<Int> = []
    var waiting = [program.operations.count]
    while let block = waiting.popLast() {
      guard block > 0 else { continue }
      switch program.operations[block - 1] {
      case .linear(_, _, let activation):
        if activation == .identity || block == program.operations.count { found.insert(block - 1) }
      case .add, .multiply, .slice, .scale, .sum: waiting += program.operations[block - 1].inputs.map(\.index)
      case .activation, .time, .concatenate, .callback, .context, .layerNorm, .dropout, .transposed: break
      }
    }
    return found
  }
}
