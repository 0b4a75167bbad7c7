/// The linear assignment problem: rows to columns, one to one, at the least total cost.
enum Assignment {
  /// For each row of `rows` the row of `columns` that is its own, at the least sum of squared distances.
  static func ofLeastDistance(from rows: SampleMatrix, to columns: SampleMatrix) -> [Int] {
    precondition(rows.count == columns.count && rows.dimension == columns.dimension, "unequal sides of an assignment")
    let (count, dimension) = (rows.count, rows.dimension)
    // One coordinate after the other over all columns at once, so that the inner loop is over neighbours in memory.
    let coordinates = (0..<dimension).map { index in
      AssignmentCosts.blocks((0..<count).map { Double(columns.values[$0 * dimension + index]) }, padding: 0)
    }
    let costs = AssignmentCosts(count: count) { row in
      var sums = [AssignmentCosts.Block](repeating: .zero, count: AssignmentCosts.blockCount(count))
      for index in 0..<dimension {
        let value = AssignmentCosts.Block(repeating: Double(rows.values[row * dimension + index]))
        let coordinate = coordinates[index]
        for block in sums.indices {
          let difference = coordinate[block] - value
          sums[block] += difference * difference
        }
      }
      return sums
    }
    return AssignmentSearch.solution(costs).columnOf
  }

  /// The column of each row, for `costs` `[count][count]`, finite. Of several that cost least, which one depends on `costs`
  /// alone.
  static func ofLeastCost(_ costs: [Double], count: Int) -> [Int] {
    solution(costs, count: count).columnOf
  }

  /// As above, with the columns' prices that prove it: see `AssignmentSearch.Solution`.
  static func solution(_ costs: [Double], count: Int) -> AssignmentSearch.Solution {
    precondition(costs.count == count * count, "\(costs.count) costs for \(count) rows and columns")
    return AssignmentSearch.solution(
      AssignmentCosts(count: count) { row in
        AssignmentCosts.blocks(costs[row * count..<(row + 1) * count], padding: .infinity)
      })
  }
}
