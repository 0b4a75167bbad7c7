/// The linear assignment problem: rows to columns, one to one, at the least total cost.
enum Assignment {
  /// For each row of `rows` the row of `columns` that is its own, at the least sum of squared distances.
  static func ofLeastDistance(from rows: SampleMatrix, to columns: SampleMatrix) -> [Int] {
    precondition(rows.count == columns.count && rows.dimension == columns.dimension, "unequal sides of an assignment")
    let count = rows.count
    var costs = [Double](repeating: 0, count: count * count)
    for row in 0..<count {
      for column in 0..<count {
        var sum = 0.0
        for index in 0..<rows.dimension {
          let difference =
            Double(rows.values[row * rows.dimension + index]) - Double(columns.values[column * rows.dimension + index])
          sum += difference * difference
        }
        costs[row * count + column] = sum
      }
    }
    return ofLeastCost(costs, count: count)
  }

  /// The column of each row, for `costs` `[count][count]`, finite: by shortest augmenting paths with dual prices (Jonker,
  /// Volgenant, Computing 38, 1987), O(count³) at worst. Of several that cost least, which one depends on `costs` alone.
  static func ofLeastCost(_ costs: [Double], count: Int) -> [Int] {
    precondition(costs.count == count * count, "\(costs.count) costs for \(count) rows and columns")
    var rowPrices = [Double](repeating: 0, count: count)
    var columnPrices = rowPrices
    var rowOf = [Int](repeating: -1, count: count)
    costs.withUnsafeBufferPointer { costs in
      for row in 0..<count { augment(from: row, costs, count, &rowPrices, &columnPrices, &rowOf) }
    }
    var columnOf = [Int](repeating: -1, count: count)
    for (column, row) in rowOf.enumerated() { columnOf[row] = column }
    return columnOf
  }

  /// Dijkstra from `start` over reduced costs to the nearest free column, then prices and pairs along the path.
  private static func augment(
    from start: Int, _ costs: UnsafeBufferPointer<Double>, _ count: Int, _ rowPrices: inout [Double],
    _ columnPrices: inout [Double], _ rowOf: inout [Int]
  ) {
    var distances = [Double](repeating: .infinity, count: count)
    var before = [Int](repeating: -1, count: count)
    var isDone = [Bool](repeating: false, count: count)
    var visited: [(row: Int, column: Int)] = []
    var (row, reached, end) = (start, 0.0, -1)
    while end < 0 {
      let price = rowPrices[row]
      var (nearest, least) = (-1, Double.infinity)
      for column in 0..<count where !isDone[column] {
        let distance = reached + costs[row * count + column] - price - columnPrices[column]
        if distance < distances[column] {
          distances[column] = distance
          before[column] = row
        }
        if distances[column] < least { (nearest, least) = (column, distances[column]) }
      }
      reached = least
      isDone[nearest] = true
      if rowOf[nearest] < 0 {
        end = nearest
      } else {
        row = rowOf[nearest]
        visited.append((row, nearest))
      }
    }
    rowPrices[start] += reached
    for (row, column) in visited {
      rowPrices[row] += reached - distances[column]
      columnPrices[column] -= reached - distances[column]
    }
    // Turn the path around: each of its columns goes to the row that it was reached from.
    var column = end
    while true {
      let row = before[column]
      rowOf[column] = row
      if row == start { return }
      column = previousColumn(of: row, in: visited)
    }
  }

  /// The column that `row` had before it was given another.
  private static func previousColumn(of row: Int, in visited: [(row: Int, column: Int)]) -> Int {
    guard let pair = visited.first(where: { $0.row == row }) else { preconditionFailure("a path without its row") }
    return pair.column
  }
}
