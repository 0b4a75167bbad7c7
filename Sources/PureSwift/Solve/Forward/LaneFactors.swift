import FieldPrograms

/// One matrix `[D][D]` for each lane, and its LU factors with partial pivoting; each lane uses its own pivots and
/// numbers only. A singular matrix gives infinities or NaN in the solution.
struct LaneFactors<V: LaneVector> {
  let dimension: Int
  /// Entry (r, c) is row r · D + c. After `factor` it holds U, and L below the diagonal; L's own diagonal is 1.
  let matrix: Panel<V>
  /// `[D][lanes]`: the row that was exchanged with row c.
  private var pivots: [Int]

  init(dimension: Int, groups: Int, pool: PanelPool<V>) {
    self.dimension = dimension
    matrix = pool.panel(rows: dimension * dimension, groups: groups)
    pivots = Array(repeating: 0, count: dimension * groups * V.scalarCount)
  }

  mutating func factor() {
    for lane in 0..<matrix.lanes { factor(lane) }
  }

  private mutating func factor(_ lane: Int) {
    let size = dimension
    for column in 0..<size {
      var pivot = column
      for row in column + 1..<max(size, column + 1)
      where abs(matrix[row * size + column, lane: lane]) > abs(matrix[pivot * size + column, lane: lane]) {
        pivot = row
      }
      pivots[column * matrix.lanes + lane] = pivot
      for other in 0..<size where pivot != column {
        let held = matrix[column * size + other, lane: lane]
        matrix[column * size + other, lane: lane] = matrix[pivot * size + other, lane: lane]
        matrix[pivot * size + other, lane: lane] = held
      }
      for row in column + 1..<max(size, column + 1) {
        let factor = matrix[row * size + column, lane: lane] / matrix[column * size + column, lane: lane]
        matrix[row * size + column, lane: lane] = factor
        for other in column + 1..<max(size, column + 1) {
          matrix[row * size + other, lane: lane] -= factor * matrix[column * size + other, lane: lane]
        }
      }
    }
  }

  /// Replaces x by `matrix⁻¹ x`, `[D][lanes]`, using the factors.
  func solve(_ x: Panel<V>) {
    for lane in 0..<matrix.lanes { solve(x, lane) }
  }

  private func solve(_ x: Panel<V>, _ lane: Int) {
    let size = dimension
    for column in 0..<size {
      let pivot = pivots[column * matrix.lanes + lane]
      let held = x[column, lane: lane]
      x[column, lane: lane] = x[pivot, lane: lane]
      x[pivot, lane: lane] = held
    }
    for row in 0..<size {
      for column in 0..<row { x[row, lane: lane] -= matrix[row * size + column, lane: lane] * x[column, lane: lane] }
    }
    for row in (0..<size).reversed() {
      for column in row + 1..<max(size, row + 1) {
        x[row, lane: lane] -= matrix[row * size + column, lane: lane] * x[column, lane: lane]
      }
      x[row, lane: lane] /= matrix[row * size + row, lane: lane]
    }
  }
}
