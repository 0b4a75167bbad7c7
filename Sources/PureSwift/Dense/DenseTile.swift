import FieldPrograms

/// Samples of a `DenseEvaluator` in the lanes of one tile. Lanes without a sample hold zeros and have cotangents of 0.
final class DenseTile<V: LaneVector> {
  let capacity: Int
  private let evaluator: DenseEvaluator<V.Scalar>
  private let pool = PanelPool<V>()
  private let groups: Int
  /// The inputs, and every layer's rows after its activation.
  private(set) var values: [Panel<V>] = []
  /// σ′ of every layer with an activation; empty for the others.
  private var slopes: [Panel<V>] = []
  private let none: Panel<V>

  init(_ evaluator: DenseEvaluator<V.Scalar>, capacity: Int, keepsSlopes: Bool = false) {
    self.evaluator = evaluator
    self.capacity = capacity
    groups = (capacity + V.scalarCount - 1) / V.scalarCount
    none = pool.panel(rows: 0, groups: groups)
    values.append(pool.panel(rows: evaluator.network.inputDimension, groups: groups))
    for layout in evaluator.network.layouts {
      values.append(pool.panel(rows: layout.rows, groups: groups))
      slopes.append(
        pool.panel(rows: keepsSlopes && layout.activation != .identity ? layout.rows : 0, groups: groups))
    }
  }

  /// Runs the layers on rows `samples` of `inputs`, `[count][inputs]`.
  func evaluate(_ inputs: [V.Scalar], _ samples: Range<Int>) {
    read(inputs, samples, into: values[0])
    for (layer, layout) in evaluator.network.layouts.enumerated() {
      let output = values[layer + 1]
      for row in 0..<layout.rows {
        let bias = V(repeating: evaluator.parameters[layout.biasOffset + row])
        for group in 0..<groups { output[row, group] = bias }
      }
      let weight = evaluator.parameters.matrix(at: layout.weightOffset, rows: layout.rows, columns: layout.columns)
      multiply(weight, values[layer], addingTo: output)
      activate(layout.activation, output, slopes: slopes[layer], curvatures: none)
    }
  }

  /// Propagates the outputs' cotangents `[count][outputs]` back: writes rows `samples` of `inputCotangents`, and adds
  /// to `sums`.
  func reverse(
    _ cotangents: [V.Scalar], _ samples: Range<Int>, into sums: DenseSums<V>?, _ inputCotangents: inout [V.Scalar]
  ) {
    guard let last = values.last else { return }
    var cotangent = pool.panel(rows: last.rows, groups: groups)
    read(cotangents, samples, into: cotangent)
    for (layer, layout) in evaluator.network.layouts.enumerated().reversed() {
      if !slopes[layer].isEmpty {
        for index in 0..<cotangent.count { cotangent[index] = cotangent[index] * slopes[layer][index] }
      }
      sums?.add(layer, cotangent, input: values[layer])
      let before = pool.panel(rows: layout.columns, groups: groups)
      let transposed = evaluator.transposed.matrix(at: layout.weightOffset, rows: layout.columns, columns: layout.rows)
      multiply(transposed, cotangent, addingTo: before)
      cotangent = before
    }
    write(cotangent, to: &inputCotangents, samples)
  }

  /// Rows of a matrix into lanes.
  private func read(_ rows: [V.Scalar], _ samples: Range<Int>, into panel: Panel<V>) {
    for row in 0..<panel.rows {
      for lane in 0..<panel.lanes {
        panel[row, lane: lane] = lane < samples.count ? rows[(samples.lowerBound + lane) * panel.rows + row] : 0
      }
    }
  }

  /// Lanes into rows of a matrix.
  func write(_ panel: Panel<V>?, to rows: inout [V.Scalar], _ samples: Range<Int>) {
    guard let panel else { return }
    for lane in 0..<samples.count {
      for row in 0..<panel.rows { rows[(samples.lowerBound + lane) * panel.rows + row] = panel[row, lane: lane] }
    }
  }
}

/// The gradient of a `DenseNetwork`'s parameters, summed over samples in their order.
final class DenseSums<V: LaneVector> {
  private let network: DenseNetwork
  private let pool = PanelPool<V>()
  /// `[rows][columns]`, with columns padded to whole vectors.
  private let weights: [Panel<V>]
  private var biases: [[V.Scalar]]

  init(_ network: DenseNetwork) {
    self.network = network
    let pool = pool
    weights = network.layouts.map {
      pool.panel(rows: $0.rows, groups: ($0.columns + V.scalarCount - 1) / V.scalarCount)
    }
    biases = network.layouts.map { Array(repeating: 0, count: $0.rows) }
  }

  /// `W̄ += z̄ xᵀ`, `b̄ += Σ z̄`, of one layer on one tile; z̄ is the cotangent before the activation.
  func add(_ layer: Int, _ cotangent: Panel<V>, input: Panel<V>) {
    let transposed = pool.panel(rows: input.lanes, groups: weights[layer].groups)
    transposed.transpose(input)
    multiply(cotangent.matrix, transposed, addingTo: weights[layer])
    for row in 0..<cotangent.rows {
      var sum = biases[layer][row]
      for lane in 0..<cotangent.lanes { sum += cotangent[row, lane: lane] }
      biases[layer][row] = sum
    }
  }

  /// `[P]`.
  func flatten() -> [V.Scalar] {
    var flat: [V.Scalar] = []
    flat.reserveCapacity(network.parameterCount)
    for (layer, layout) in network.layouts.enumerated() {
      for row in 0..<layout.rows {
        for column in 0..<layout.columns { flat.append(weights[layer][row, lane: column]) }
      }
      flat += biases[layer]
    }
    return flat
  }
}
