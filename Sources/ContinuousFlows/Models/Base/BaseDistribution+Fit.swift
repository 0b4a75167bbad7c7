import CLibrary

extension BaseDistribution {
  /// Independent normals with the columns' means and deviations; a constant column gets deviation 1.
  public static func gaussian(fitting points: SampleMatrix) -> BaseDistribution {
    let moments = DataTransform.standardising(points)
    return .gaussian(mean: moments.shift, deviation: moments.scale)
  }

  /// The normal of full covariance that is likeliest to give `points`, of which there must be at least one; see
  /// `GaussianBaseline` for a singular covariance.
  public static func fullGaussian(fitting points: SampleMatrix) -> BaseDistribution {
    let fit = GaussianBaseline(fitting: points)
    return .fullGaussian(mean: fit.mean.map { Float($0) }, factor: fit.factor.map { Float($0) })
  }

  /// The box of `points`; of a constant column, one of width 1 around it.
  public static func uniform(fitting points: SampleMatrix) -> BaseDistribution {
    precondition(points.count > 0, "a box needs points to fit")
    var (low, high) = (Array(points[0]), Array(points[0]))
    for (index, value) in points.values.enumerated() {
      let column = index % points.dimension
      low[column] = min(low[column], value)
      high[column] = max(high[column], value)
    }
    for column in low.indices where !(low[column] < high[column]) {
      low[column] -= 0.5
      high[column] += 0.5
    }
    return .uniform(low: low, high: high)
  }

  /// A mixture of `components` Gaussians of independent columns, by expectation and maximisation (Dempster, Laird, Rubin
  /// 1977) from centres that k-means++ chooses (Arthur, Vassilvitskii 2007), in an order that `seed` keys.
  ///
  /// Deviations stay above a hundredth of the columns', so that no component falls onto one point.
  public static func mixture(
    of components: Int, fitting points: SampleMatrix, seed: UInt64, rounds: Int = 100
  ) -> BaseDistribution {
    precondition(components >= 1, "a mixture of \(components) components, must be at least 1")
    precondition(points.count >= components, "\(points.count) points for \(components) components")
    var fit = MixtureFit(points: points, centres: centres(components, of: points, seed: seed))
    for _ in 0..<rounds { fit.improve() }
    return fit.distribution
  }

  /// Rows of `points`, each chosen with a probability that grows as the squared distance from those chosen before.
  private static func centres(_ count: Int, of points: SampleMatrix, seed: UInt64) -> [Int] {
    let source = RandomSource(seed: seed, stream: .initial)
    var chosen: [Int] = []
    var distances = [Double](repeating: 1, count: points.count)
    while chosen.count < count {
      let total = distances.reduce(0, +)
      var rest = source.uniform(sample: UInt64(chosen.count), dimension: 0) * total
      // Where all points lie on the centres, any other will do.
      var next = distances.indices.first { !chosen.contains($0) } ?? 0
      for (row, distance) in distances.enumerated() where total > 0 && distance > 0 {
        next = row
        rest -= distance
        if rest < 0 { break }
      }
      for row in 0..<points.count {
        let squares = zip(points[row], points[next]).reduce(0.0) { sum, pair in
          sum + Double(pair.0 - pair.1) * Double(pair.0 - pair.1)
        }
        distances[row] = chosen.isEmpty ? squares : min(distances[row], squares)
      }
      chosen.append(next)
    }
    return chosen
  }
}

/// Expectation and maximisation of a mixture, in Double.
private struct MixtureFit {
  private let points: SampleMatrix
  /// `[D]`: no variance falls below.
  private let floor: [Double]
  private var weights: [Double]
  /// `[K][D]`.
  private var means: [Double]
  private var variances: [Double]

  init(points: SampleMatrix, centres: [Int]) {
    self.points = points
    let columns = DataTransform.standardising(points).scale.map { Double($0) * Double($0) }
    floor = columns.map { $0 * 1e-4 }
    weights = Array(repeating: 1 / Double(centres.count), count: centres.count)
    means = centres.flatMap { points[$0].map { Double($0) } }
    variances = centres.flatMap { _ in columns.map { $0 / Double(centres.count) } }
  }

  mutating func improve() {
    let (dimension, count) = (points.dimension, Double(points.count))
    var shares = [Double](repeating: 0, count: weights.count)
    var sums = [Double](repeating: 0, count: means.count)
    var squares = sums
    for row in 0..<points.count {
      let responsibilities = responsibilities(of: points[row].map { Double($0) })
      for (component, share) in responsibilities.enumerated() {
        shares[component] += share
        for column in 0..<dimension {
          // About the old mean, so that nothing cancels.
          let difference = Double(points.values[row * dimension + column]) - means[component * dimension + column]
          sums[component * dimension + column] += share * difference
          squares[component * dimension + column] += share * difference * difference
        }
      }
    }
    for component in weights.indices where shares[component] > 0 {
      weights[component] = shares[component] / count
      for column in 0..<dimension {
        let place = component * dimension + column
        let step = sums[place] / shares[component]
        means[place] += step
        variances[place] = max(squares[place] / shares[component] - step * step, floor[column])
      }
    }
  }

  private func responsibilities(of point: [Double]) -> [Double] {
    let dimension = points.dimension
    let terms = weights.indices.map { component -> Double in
      (0..<dimension).reduce(log(weights[component])) { sum, column in
        let place = component * dimension + column
        let difference = point[column] - means[place]
        return sum - 0.5 * (difference * difference / variances[place] + log(variances[place]))
      }
    }
    let largest = terms.max() ?? 0
    let shares = terms.map { exp($0 - largest) }
    let total = shares.reduce(0, +)
    return shares.map { $0 / total }
  }

  var distribution: BaseDistribution {
    // A component that has lost its points has no share left.
    let least = Double.leastNormalMagnitude
    let total = weights.reduce(0) { $0 + max($1, least) }
    let shape = (count: weights.count, dimension: points.dimension)
    return .mixture(
      weights: weights.map { max($0, least) / total },
      means: SampleMatrix(count: shape.count, dimension: shape.dimension, values: means.map { Float($0) }),
      deviations: SampleMatrix(
        count: shape.count, dimension: shape.dimension, values: variances.map { Float($0.squareRoot()) }))
  }
}
