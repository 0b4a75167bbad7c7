import FieldPrograms

extension FieldPlan {
  /// How fast the field can change with t by itself: the largest rate of an activation's input.
  ///
  /// The rate of a row is the size of its derivative by t at a fixed state, with every activation at its steepest and
  /// the paths through a product of weights added like independent errors. It is an estimate, not a bound. It is 0 if
  /// the field does not read t or is linear in it, and infinite if there are callbacks.
  func timeRate<Scalar: FlowScalar>(_ parameters: [Scalar]) -> Double {
    var fastest = 0.0
    var rates: [[Double]] = [Array(repeating: 0, count: stateDimension)]
    for (number, step) in steps.enumerated() {
      let rows = blockRows[number + 1]
      guard isRead[number + 1] else {
        rates.append(Array(repeating: 0, count: rows))
        continue
      }
      var block = rowRates(step, rows: rows, rates, parameters)
      if step.activation != .identity || step.kind == .layerNorm { fastest = max(fastest, block.max() ?? 0) }
      if step.activation == .sigmoid { for row in block.indices { block[row] *= 0.25 } }
      rates.append(block)
    }
    return fastest
  }

  /// The rates of an operation's rows, before its activation.
  private func rowRates<Scalar: FlowScalar>(
    _ step: Step, rows: Int, _ rates: [[Double]], _ parameters: [Scalar]
  ) -> [Double] {
    let (a, b) = (rates[step.first], rates[step.second])
    switch step.kind {
    case .time: return [1]
    case .context: return Array(repeating: 0, count: rows)
    case .callback: return Array(repeating: .infinity, count: rows)
    case .linear, .transposed:
      let layer = layers[step.layer]
      let (rowStride, columnStride) = step.kind == .linear ? (layer.columns, 1) : (1, layer.columns)
      return (0..<rows).map { row in
        Self.size(
          a.indices.map { column in
            Double(parameters[layer.weightOffset + row * rowStride + column * columnStride]) * a[column]
          })
      }
    case .add: return zip(a, b).map { $0 + $1 }
    case .multiply: return a.indices.map { a[$0] + b[b.count > 1 ? $0 : 0] }  // Of factors near 1.
    case .concatenate: return a + b
    case .slice: return Array(a[step.offset..<step.offset + rows])
    case .layerNorm:  // Of rows of variance 1.
      return a.indices.map { a[$0] * abs(Double(parameters[norms[step.layer].gainOffset + $0])) }
    case .scale: return a.map { $0 * abs(step.factor) }
    case .activation, .dropout: return a
    case .sum: return [Self.size(a)]
    }
  }

  private static func size(_ parts: [Double]) -> Double { parts.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
