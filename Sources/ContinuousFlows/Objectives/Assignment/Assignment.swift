/// The linear assignment problem: pairs rows with columns one to one, at the least total cost.
enum Assignment {
  /// For each row of `rows`, the row of `columns` paired with it, at the least sum of squared distances.
  static func ofLeastDistance(from rows: StateMatrix, to columns: StateMatrix) -> [Int] {
    AssignmentSearch.solution(squaredDistances(from: rows, to: columns)).columnOf
  }

  /// The same, with the squared distance of contexts added to the cost, times a weight that leaves each data sample a
  /// choice; see `ContextWeight`.
  ///
  /// - Parameters:
  ///   - data, base: `[count][D]`; row i of both has the context i.
  ///   - contexts: `[count][C]`.
  ///   - share: the share of all pairs that are candidates.
  /// - Returns: nil if only pairs of equal contexts are candidates.
  static func ofLeastDistance(
    from data: StateMatrix, to base: StateMatrix, contexts: StateMatrix, share: Double
  ) -> [Int]? {
    let distances = squaredDistances(from: data, to: base)
    let between = squaredDistances(from: contexts, to: contexts)
    let weight = ContextWeight.largest(leaving: share, distances, between)
    guard weight.isFinite else { return nil }
    let costs = AssignmentCosts(count: data.count) { row in
      let first = row * distances.rowBlocks
      return (first..<first + distances.rowBlocks).map { distances.blocks[$0] + weight * between.blocks[$0] }
    }
    return AssignmentSearch.solution(costs).columnOf
  }

  /// The squared distance of each row of `rows`, a row here, to each of `columns`.
  private static func squaredDistances(from rows: StateMatrix, to columns: StateMatrix) -> AssignmentCosts {
    precondition(rows.count == columns.count && rows.dimension == columns.dimension, "unequal sides of an assignment")
    let (count, dimension) = (rows.count, rows.dimension)
    // One coordinate at a time over all columns, so that the inner loop runs over contiguous memory.
    let coordinates = (0..<dimension).map { index in
      AssignmentCosts.blocks((0..<count).map { Double(columns.values[$0 * dimension + index]) }, padding: 0)
    }
    return AssignmentCosts(count: count) { row in
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
  }

  /// The column of each row, for finite `costs`, `[count][count]`. Ties depend only on `costs`.
  static func ofLeastCost(_ costs: [Double], count: Int) -> [Int] {
    solution(costs, count: count).columnOf
  }

  /// As above, with the column prices that prove optimality: see `AssignmentSearch.Solution`.
  static func solution(_ costs: [Double], count: Int) -> AssignmentSearch.Solution {
    precondition(costs.count == count * count, "\(costs.count) costs for \(count) rows and columns")
    return AssignmentSearch.solution(
      AssignmentCosts(count: count) { row in
        AssignmentCosts.blocks(costs[row * count..<(row + 1) * count], padding: .infinity)
      })
  }
}
