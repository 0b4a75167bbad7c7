import Testing

@testable import ContinuousFlows

/// Proves that an assignment is optimal without listing permutations. Column prices v and row prices u satisfy `u_i +
/// v_j ≤ c_ij` for all pairs, with equality where row i is assigned to column j. So the sum of the prices is a lower
/// bound of every assignment's cost, and this assignment attains it.
@Suite struct AssignmentDualityTests {
  enum Kind: String, CaseIterable {
    /// Squared distances between clusters and one cloud, as in flow matching, where augmenting paths are long.
    case plane
    case sixteenDimensions
    /// Whole numbers from 0 to 9, so that there are ties everywhere.
    case ties
    case equal
    /// Products of a row's number and a column's number: all rows prefer the same columns.
    case rivalry
  }

  private static func costs(_ kind: Kind, _ count: Int) -> [Double] {
    let source = RandomSource(seed: 8, stream: .data)
    func distances(_ dimension: Int) -> [Double] {
      (0..<count * count).map { pair in
        let (row, column) = (pair / count, pair % count)
        return (0..<dimension).reduce(0.0) { sum, index in
          let x = source.normal(sample: UInt64(row), dimension: index) * 0.3 + (index == 0 ? Double(row % 5) - 2 : 0)
          let z = source.normal(sample: UInt64(column), dimension: 64 + index)
          return sum + (x - z) * (x - z)
        }
      }
    }
    func uniform(_ pair: Int) -> Double { source.uniform(sample: UInt64(pair), dimension: 0) }
    switch kind {
    case .plane: return distances(2)
    case .sixteenDimensions: return distances(16)
    case .ties: return (0..<count * count).map { (uniform($0) * 9).rounded() }
    case .equal: return Array(repeating: 3.25, count: count * count)
    case .rivalry: return (0..<count * count).map { uniform($0 / count) * uniform(count * count + $0 % count) }
    }
  }

  @Test(arguments: Kind.allCases, [1, 2, 63, 64, 127, 512])
  func pricesProveIt(kind: Kind, count: Int) {
    let costs = Self.costs(kind, count)
    let solution = Assignment.solution(costs, count: count)
    #expect(solution.columnOf.sorted() == Array(0..<count))
    // For each row, a price changes at most once, at two levels. Each change is rounded relative to the size of the
    // largest cost.
    let rounding = 4 * Double(count) * (costs.max() ?? 0).ulp
    var (rowSum, total) = (0.0, 0.0)
    for row in 0..<count {
      let own = solution.columnOf[row]
      let rowPrice = costs[row * count + own] - solution.prices[own]
      for column in 0..<count {
        let slack = costs[row * count + column] - solution.prices[column] - rowPrice
        if slack < -rounding { Issue.record("\(kind) \(count): row \(row), column \(column): slack \(slack)") }
      }
      rowSum += rowPrice
      total += costs[row * count + own]
    }
    let bound = rowSum + solution.prices.reduce(0, +)
    #expect(abs(total - bound) <= Double(count) * rounding, "\(kind) \(count): \(total), bound \(bound)")
  }

  /// `ofLeastDistance` computes squared distances as costs. Both functions give assignments of the same cost.
  @Test(arguments: [5, 64, 101])
  func distancesAreCosts(count: Int) {
    let source = RandomSource(seed: 2, stream: .data)
    let sides = (0..<2).map { side in
      StateMatrix(
        count: count, dimension: 3,
        values: (0..<count * 3).map { Float(source.normal(sample: UInt64($0 / 3), dimension: 8 * side + $0 % 3)) })
    }
    let costs = (0..<count * count).map { pair in
      zip(sides[0][pair / count], sides[1][pair % count]).reduce(0.0) { sum, two in
        let difference = Double(two.0) - Double(two.1)
        return sum + difference * difference
      }
    }
    func cost(_ columns: [Int]) -> Double { columns.enumerated().reduce(0) { $0 + costs[$1.0 * count + $1.1] } }
    let (first, second) = (
      cost(Assignment.ofLeastDistance(from: sides[0], to: sides[1])), cost(Assignment.ofLeastCost(costs, count: count))
    )
    #expect(abs(first - second) <= Double(count) * first.ulp)
  }
}
