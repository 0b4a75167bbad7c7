import CLibrary

extension BaseDistribution {
  /// Independent normals with the means and standard deviations of the columns; a constant column gets deviation 1.
  public static func gaussian(fitting samples: StateMatrix) -> BaseDistribution {
    let moments = ColumnMoments(of: SampleMatrix(samples))
    return .gaussian(
      mean: moments.mean.map { Float($0) }, deviation: moments.deviation.map { $0 > 0 ? Float($0) : 1 })
  }

  /// The normal of full covariance with the highest likelihood on `samples`, which must not be empty.
  /// `GaussianBaseline` describes what happens for a singular covariance.
  public static func fullGaussian(fitting samples: StateMatrix) -> BaseDistribution {
    let fit = GaussianBaseline(fitting: SampleMatrix(samples))
    return .fullGaussian(mean: fit.mean.map { Float($0) }, factor: fit.factor.map { Float($0) })
  }

  /// The bounding box of `samples`; a constant column gets a box of width 1 around its value.
  public static func uniform(fitting samples: StateMatrix) -> BaseDistribution {
    precondition(samples.count > 0, "a box needs samples to fit")
    var (low, high) = (Array(samples[0]), Array(samples[0]))
    for (index, value) in samples.values.enumerated() {
      let column = index % samples.dimension
      low[column] = min(low[column], value)
      high[column] = max(high[column], value)
    }
    for column in low.indices where !(low[column] < high[column]) {
      low[column] -= 0.5
      high[column] += 0.5
    }
    return .uniform(low: low, high: high)
  }

  /// A mixture of `components` Gaussians with independent columns, fitted by expectation-maximisation (Dempster, Laird,
  /// Rubin 1977). `seed` keys the k-means++ choice of the initial centres (Arthur, Vassilvitskii 2007).
  ///
  /// Deviations stay above a hundredth of the columns' deviations, so that no component collapses onto one sample.
  public static func mixture(
    of components: Int, fitting samples: StateMatrix, seed: UInt64, rounds: Int = 100
  ) -> BaseDistribution {
    precondition(components >= 1, "a mixture of \(components) components, must be at least 1")
    precondition(samples.count >= components, "\(samples.count) samples for \(components) components")
    var fit = MixtureFit(samples: samples, centres: centres(components, of: samples, seed: seed))
    for _ in 0..<rounds { fit.improve() }
    return fit.distribution
  }

  /// Row numbers of `samples`; each is chosen with a probability proportional to its squared distance from the rows
  /// chosen before.
  private static func centres(_ count: Int, of samples: StateMatrix, seed: UInt64) -> [Int] {
    let source = RandomSource(seed: seed, stream: .initial)
    var chosen: [Int] = []
    var distances = [Double](repeating: 1, count: samples.count)
    while chosen.count < count {
      let total = distances.reduce(0, +)
      var rest = source.uniform(sample: UInt64(chosen.count), dimension: 0) * total
      // When every sample lies on a centre, any other row will do.
      var next = distances.indices.first { !chosen.contains($0) } ?? 0
      for (row, distance) in distances.enumerated() where total > 0 && distance > 0 {
        next = row
        rest -= distance
        if rest < 0 { break }
      }
      for row in 0..<samples.count {
        let squares = zip(samples[row], samples[next]).reduce(0.0) { sum, pair in
          sum + Double(pair.0 - pair.1) * Double(pair.0 - pair.1)
        }
        distances[row] = chosen.isEmpty ? squares : min(distances[row], squares)
      }
      chosen.append(next)
    }
    return chosen
  }
}

/// Expectation-maximisation of a mixture, in Double.
private struct MixtureFit {
  private let samples: StateMatrix
  /// `[D]`: lower bound of the variances.
  private let floor: [Double]
  private var weights: [Double]
  /// `[K][D]`.
  private var means: [Double]
  private var variances: [Double]

  init(samples: StateMatrix, centres: [Int]) {
    self.samples = samples
    let columns = ColumnMoments(of: SampleMatrix(samples)).deviation.map { $0 > 0 ? $0 * $0 : 1 }
    floor = columns.map { $0 * 1e-4 }
    weights = Array(repeating: 1 / Double(centres.count), count: centres.count)
    means = centres.flatMap { samples[$0].map { Double($0) } }
    variances = centres.flatMap { _ in columns.map { $0 / Double(centres.count) } }
  }

  mutating func improve() {
    let (dimension, count) = (samples.dimension, Double(samples.count))
    var shares = [Double](repeating: 0, count: weights.count)
    var sums = [Double](repeating: 0, count: means.count)
    var squares = sums
    for row in 0..<samples.count {
      let responsibilities = responsibilities(of: samples[row].map { Double($0) })
      for (component, share) in responsibilities.enumerated() {
        shares[component] += share
        for column in 0..<dimension {
          // Relative to the old mean, so that nothing cancels.
          let difference = Double(samples.values[row * dimension + column]) - means[component * dimension + column]
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
    let dimension = samples.dimension
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
    // A component that has lost its samples has weight 0; weights must be positive.
    let least = Double.leastNormalMagnitude
    let total = weights.reduce(0) { $0 + max($1, least) }
    let shape = (count: weights.count, dimension: samples.dimension)
    return .mixture(
      weights: weights.map { max($0, least) / total },
      means: StateMatrix(count: shape.count, dimension: shape.dimension, values: means.map { Float($0) }),
      deviations: StateMatrix(
        count: shape.count, dimension: shape.dimension, values: variances.map { Float($0.squareRoot()) }))
  }
}
