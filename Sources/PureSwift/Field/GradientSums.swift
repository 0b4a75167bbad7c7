import FieldPrograms

/// Sums over the samples of one chunk: the cotangents of weights, biases and M.
///
/// Weight rows are padded to whole vectors, and biases keep one sum per lane of a vector, so that the hot loops have no
/// remainders. `flatten` brings them into the order of the parameter array.
///
/// `@unchecked Sendable`: only one worker at a time uses a chunk and its sums.
final class GradientSums<V: LaneVector>: @unchecked Sendable {
  private let pool = PanelPool<V>()
  private let all: Panel<V>
  private let weights: [Panel<V>]
  private let biases: [Panel<V>]
  private let callbacks: [Panel<V>]
  private let gains: [Panel<V>]
  private let normBiases: [Panel<V>]
  let traceMatrix: Panel<V>

  init(plan: FieldPlan, traceShape: (rows: Int, columns: Int)) {
    func groups(_ columns: Int) -> Int { (columns + V.scalarCount - 1) / V.scalarCount }
    var total = traceShape.rows * groups(traceShape.columns)
    for layer in plan.layers { total += layer.rows * (groups(layer.columns) + 1) }
    for layout in plan.callbacks { total += groups(layout.callback.parameterCount) }
    for layout in plan.norms { total += 2 * layout.rows }
    let all = pool.panel(rows: total, groups: 1)
    var next = 0
    func take(_ rows: Int, _ groups: Int) -> Panel<V> {
      defer { next += rows * groups }
      return all.reshaped(from: next, rows: rows, groups: groups)
    }
    self.all = all
    weights = plan.layers.map { take($0.rows, groups($0.columns)) }
    biases = plan.layers.map { take($0.rows, 1) }
    callbacks = plan.callbacks.map { take(1, groups($0.callback.parameterCount)) }
    gains = plan.norms.map { take($0.rows, 1) }
    normBiases = plan.norms.map { take($0.rows, 1) }
    traceMatrix = take(traceShape.rows, groups(traceShape.columns))
  }

  @inline(__always) func weight(_ layer: Int) -> Panel<V> { weights[layer] }
  @inline(__always) func bias(_ layer: Int) -> Panel<V> { biases[layer] }
  /// One row: a callback's parameters, padded.
  @inline(__always) func callback(_ number: Int) -> Panel<V> { callbacks[number] }

  @inline(__always) func gain(_ norm: Int) -> Panel<V> { gains[norm] }
  @inline(__always) func normBias(_ norm: Int) -> Panel<V> { normBiases[norm] }

  func add(_ other: GradientSums) { all.add(other.all) }
  func removeAll() { all.fill(V()) }

  private static func sum(_ sums: Panel<V>, _ row: Int) -> V.Scalar {
    var sum: V.Scalar = 0
    for lane in 0..<V.scalarCount { sum += sums[row, lane: lane] }
    return sum
  }

  /// The parameters' gradient `[P]` and M's cotangent, row-major.
  func flatten(plan: FieldPlan, traceShape: (rows: Int, columns: Int)) -> (parameters: [V.Scalar], trace: [V.Scalar]) {
    var parameters = [V.Scalar](repeating: 0, count: plan.parameterCount)
    for (number, layer) in plan.layers.enumerated() {
      for row in 0..<layer.rows {
        for column in 0..<layer.columns {
          parameters[layer.weightOffset + row * layer.columns + column] = weights[number][row, lane: column]
        }
        parameters[layer.biasOffset + row] = Self.sum(biases[number], row)
      }
    }
    for (number, layout) in plan.norms.enumerated() {
      for row in 0..<layout.rows {
        parameters[layout.gainOffset + row] = Self.sum(gains[number], row)
        parameters[layout.biasOffset + row] = Self.sum(normBiases[number], row)
      }
    }
    for (number, layout) in plan.callbacks.enumerated() {
      for index in 0..<layout.callback.parameterCount {
        parameters[layout.offset + index] = callbacks[number][0, lane: index]
      }
    }
    var trace = [V.Scalar](repeating: 0, count: traceShape.rows * traceShape.columns)
    for row in 0..<traceShape.rows {
      for column in 0..<traceShape.columns {
        trace[row * traceShape.columns + column] = traceMatrix[row, lane: column]
      }
    }
    return (parameters, trace)
  }
}
