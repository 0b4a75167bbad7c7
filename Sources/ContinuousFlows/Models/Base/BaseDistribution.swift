/// The base p₀ of a flow: the distribution of z(0), which the flow carries to the data.
public enum BaseDistribution: Sendable, Equatable {
  /// N(0, I).
  case standardNormal
  /// Independent normals; `mean` and `deviation` are `[D]`, deviations positive.
  case gaussian(mean: [Float], deviation: [Float])
  /// N(mean, L Lᵀ); `mean` is `[D]`, `factor` is L, `[D][D]` row-major, lower triangular with a positive diagonal.
  case fullGaussian(mean: [Float], factor: [Float])
  /// Uniform between `low` and `high`, both `[D]`, with `low` below `high` in every column. The density is 0 outside,
  /// so no gradient can lead a sample in: maximum likelihood refuses this base, flow matching accepts it.
  case uniform(low: [Float], high: [Float])
  /// A mixture of K Gaussians with independent columns. Component k has the positive weight `weights[k]`; the weights
  /// sum to 1. Its mean is row k of `means` and its standard deviation row k of `deviations`, both `[K][D]`, deviations
  /// positive.
  case mixture(weights: [Double], means: StateMatrix, deviations: StateMatrix)

  /// Its name in files and on the command line.
  public var kind: String {
    switch self {
    case .standardNormal: "standard-normal"
    case .gaussian: "gaussian"
    case .fullGaussian: "full-gaussian"
    case .uniform: "uniform"
    case .mixture: "mixture"
    }
  }

  /// Why it is not a distribution over `dimension` columns; nil when it is one.
  public func problem(dimension: Int) -> String? {
    func columns(_ name: String, _ values: [Float], _ size: Int) -> String? {
      if values.count != size { return "\(name) has \(values.count) numbers, needs \(size)" }
      return values.allSatisfy(\.isFinite) ? nil : "\(name) has numbers that are not finite"
    }
    func positive(_ name: String, _ values: some Sequence<Float>) -> String? {
      values.allSatisfy { $0 > 0 } ? nil : "\(name) has to be positive"
    }
    switch self {
    case .standardNormal: return nil
    case .gaussian(let mean, let deviation):
      return columns("mean", mean, dimension) ?? columns("deviation", deviation, dimension)
        ?? positive("deviation", deviation)
    case .fullGaussian(let mean, let factor):
      return columns("mean", mean, dimension) ?? columns("factor", factor, dimension * dimension)
        ?? positive("factor's diagonal", (0..<dimension).map { factor[$0 * (dimension + 1)] })
        ?? ((0..<dimension).contains { row in
          (row + 1..<max(dimension, row + 1)).contains { factor[row * dimension + $0] != 0 }
        }
          ? "factor is not lower triangular" : nil)
    case .uniform(let low, let high):
      return columns("low", low, dimension) ?? columns("high", high, dimension)
        ?? (zip(low, high).allSatisfy { $0 < $1 } ? nil : "low has to be below high")
    case .mixture(let weights, let means, let deviations):
      let size = weights.count * dimension
      if weights.isEmpty { return "a mixture needs a component" }
      if !weights.allSatisfy({ $0 > 0 }) { return "weights have to be positive" }
      // One rounding for each weight when it was computed, and one for each in this sum.
      if abs(weights.reduce(0, +) - 1) > 2 * Double(weights.count) * Double.ulpOfOne {
        return "weights do not sum to 1"
      }
      return columns("means", means.values, size) ?? columns("deviations", deviations.values, size)
        ?? positive("deviations", deviations.values)
    }
  }
}
