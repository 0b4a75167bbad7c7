import CLibrary

extension BaseDistribution {
  private static let halfLogTwoPi = 0.91893853320467274178

  /// `log p(z)` in nats, computed in Double; −∞ outside the box of a uniform base.
  ///
  /// - Parameter score: when not nil, set to `∂ log p(z)/∂z`, `[D]`.
  public func logDensity<Scalar: FlowScalar>(_ z: some Collection<Scalar>, score: inout [Double]?) -> Double {
    let values = z.map { Double($0) }
    switch self {
    case .standardNormal:
      if score != nil { score = values.map { -$0 } }
      return values.reduce(0) { $0 - 0.5 * $1 * $1 } - Double(values.count) * Self.halfLogTwoPi
    case .gaussian(let mean, let deviation):
      return Self.independent(values, mean[...], deviation[...], score: &score)
    case .fullGaussian(let mean, let factor):
      return Self.full(values, mean, factor, score: &score)
    case .uniform(let low, let high):
      if score != nil { score = Array(repeating: 0, count: values.count) }
      var sum = 0.0
      for (index, value) in values.enumerated() {
        guard Double(low[index]) <= value, value <= Double(high[index]) else { return -.infinity }
        sum -= log(Double(high[index]) - Double(low[index]))
      }
      return sum
    case .mixture(let weights, let means, let deviations):
      return Self.mixture(values, weights, means, deviations, score: &score)
    }
  }

  /// `log p(z)` in nats, computed in Double.
  public func logDensity<Scalar: FlowScalar>(_ z: some Collection<Scalar>) -> Double {
    var none: [Double]?
    return logDensity(z, score: &none)
  }

  private static func independent(
    _ values: [Double], _ mean: ArraySlice<Float>, _ deviation: ArraySlice<Float>, score: inout [Double]?
  ) -> Double {
    var sum = -Double(values.count) * halfLogTwoPi
    var slope = [Double]()
    for ((value, mean), deviation) in zip(zip(values, mean), deviation) {
      let scaled = (value - Double(mean)) / Double(deviation)
      sum -= 0.5 * scaled * scaled + log(Double(deviation))
      if score != nil { slope.append(-scaled / Double(deviation)) }
    }
    if score != nil { score = slope }
    return sum
  }

  /// With w = L⁻¹(z − mean): log p = −½|w|² − log det L − ½ D log 2π, and its gradient −L⁻ᵀ w (Bishop 2006, Pattern
  /// Recognition and Machine Learning, equation 2.43, with S = L Lᵀ).
  private static func full(
    _ values: [Double], _ mean: [Float], _ factor: [Float], score: inout [Double]?
  ) -> Double {
    let dimension = values.count
    var whitened = [Double](repeating: 0, count: dimension)
    var sum = -Double(dimension) * halfLogTwoPi
    for row in 0..<dimension {
      var rest = values[row] - Double(mean[row])
      for column in 0..<row { rest -= Double(factor[row * dimension + column]) * whitened[column] }
      let diagonal = Double(factor[row * (dimension + 1)])
      whitened[row] = rest / diagonal
      sum -= 0.5 * whitened[row] * whitened[row] + log(diagonal)
    }
    if score != nil {
      for row in (0..<dimension).reversed() {
        var rest = whitened[row]
        for below in row + 1..<max(dimension, row + 1) {
          rest -= Double(factor[below * dimension + row]) * whitened[below]
        }
        whitened[row] = rest / Double(factor[row * (dimension + 1)])
      }
      score = whitened.map { -$0 }
    }
    return sum
  }

  /// log Σ wₖ pₖ, computed from the largest term. Its gradient is the mean of the components' gradients, weighted by
  /// their share of the sum (Bishop 2006, section 2.3.9; the sum: Blanchard, Higham, Higham 2021, IMA Journal of
  /// Numerical Analysis 41).
  private static func mixture(
    _ values: [Double], _ weights: [Double], _ means: StateMatrix, _ deviations: StateMatrix, score: inout [Double]?
  ) -> Double {
    let dimension = values.count
    var terms: [Double] = []
    var slopes: [[Double]] = []
    for (component, weight) in weights.enumerated() {
      let rows = component * dimension..<(component + 1) * dimension
      var slope: [Double]? = score == nil ? nil : []
      terms.append(
        log(weight) + independent(values, means.values[rows], deviations.values[rows], score: &slope))
      if let slope { slopes.append(slope) }
    }
    let largest = terms.max() ?? -.infinity
    let shares = terms.map { exp($0 - largest) }
    let total = shares.reduce(0, +)
    if score != nil {
      score = (0..<dimension).map { row in
        zip(shares, slopes).reduce(0) { $0 + $1.0 / total * $1.1[row] }
      }
    }
    return largest + log(total)
  }
}
