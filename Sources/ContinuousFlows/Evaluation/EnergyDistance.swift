/// Compares two sets of samples: the energy distance `2 E|X − Y| − E|X − X′| − E|Y − Y′|` is 0 for equal distributions
/// and positive otherwise. A permutation test gives a p-value (Székely, Rizzo, "Energy statistics", J. Stat. Planning
/// and Inference 143, 2013).
public struct EnergyDistance: Sendable, Equatable {
  /// The estimate in the unit of the columns. It includes the pairs of a sample with itself, so it is never below 0.
  public let value: Double
  /// The fraction of relabellings of the pooled rows, the given one included, whose distance is at least as large. For
  /// equal distributions it is below p with a probability of at most p. nil if no relabelling was asked for.
  public let pValue: Double?

  /// Takes O((n + m)²) memory, and as much time for each permutation.
  ///
  /// - Parameters:
  ///   - first: `[n][D]`.
  ///   - second: `[m][D]`.
  ///   - permutations: number of random relabellings; 0 means none, and no p-value.
  ///   - seed: the seed of the relabellings.
  public init(between first: SampleMatrix, and second: SampleMatrix, permutations: Int = 0, seed: UInt64 = 0) {
    precondition(
      first.count > 0 && second.count > 0 && first.dimension == second.dimension,
      "an energy distance between \(first.count) × \(first.dimension) and \(second.count) × \(second.dimension)")
    let pooled = Self.distances(of: first.values + second.values, dimension: first.dimension)
    let count = first.count + second.count
    var order = Array(0..<count)
    let value = Self.value(pooled, order, first.count)
    self.value = value
    guard permutations > 0 else {
      pValue = nil
      return
    }
    var generator = PhiloxGenerator(RandomSource(seed: seed, stream: .shuffle))
    // Distances that differ only by rounding count as equal.
    let rounding = Double(count) * Double.ulpOfOne * value
    var noLess = 1
    for _ in 0..<permutations {
      order.shuffle(using: &generator)
      if Self.value(pooled, order, first.count) >= value - rounding { noLess += 1 }
    }
    pValue = Double(noLess) / Double(permutations + 1)
  }

  /// `[count][count]`.
  private static func distances(of values: [Double], dimension: Int) -> [Double] {
    let count = values.count / dimension
    var distances = [Double](repeating: 0, count: count * count)
    for row in 0..<count {
      for column in 0..<row {
        var sum = 0.0
        for index in 0..<dimension {
          let difference = values[row * dimension + index] - values[column * dimension + index]
          sum += difference * difference
        }
        distances[row * count + column] = sum.squareRoot()
        distances[column * count + row] = distances[row * count + column]
      }
    }
    return distances
  }

  /// The distance of the pooled rows `order[..<first]` from the others.
  private static func value(_ distances: [Double], _ order: [Int], _ first: Int) -> Double {
    let count = order.count
    var isFirst = [Double](repeating: 0, count: count)
    for row in order[..<first] { isFirst[row] = 1 }
    // Sums over all pairs of a row of the first set with a row of either set.
    var (within, from, all) = (0.0, 0.0, 0.0)
    for row in 0..<count {
      var (toFirst, toAny) = (0.0, 0.0)
      for column in 0..<count {
        let distance = distances[row * count + column]
        toFirst += distance * isFirst[column]
        toAny += distance
      }
      all += toAny
      if isFirst[row] == 1 {
        within += toFirst
        from += toAny
      }
    }
    let between = from - within
    let (n, m) = (Double(first), Double(count - first))
    return 2 * between / (n * m) - within / (n * n) - (all - 2 * from + within) / (m * m)
  }
}
