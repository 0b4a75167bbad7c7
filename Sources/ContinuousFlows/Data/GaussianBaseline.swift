import CLibrary
import FieldPrograms
import KernelBridge

/// The Gaussian of full covariance that fits the training data best (maximum likelihood: Bishop 2006, section 2.3.4): what a flow has
/// to beat.
///
/// All in Double. Where the covariance is singular to working precision, 1e-6 of the mean variance is added to its
/// diagonal, then ten times as much, until it has a Cholesky factor; `ridge` says how much it was.
public struct GaussianBaseline: Sendable {
  /// `[D]`.
  public let mean: [Double]
  /// Lower triangular L with `L Lᵀ` = covariance, `[D][D]` row-major.
  public let factor: [Double]
  /// What was added to the diagonal; 0 unless the covariance is singular.
  public let ridge: Double

  /// Fits `points`, of which there must be at least one.
  public init(fitting points: SampleMatrix) {
    precondition(points.count > 0, "a Gaussian needs points to fit")
    precondition(points.values.allSatisfy(\.isFinite), "a Gaussian needs finite points")
    let dimension = points.dimension
    let mean = Self.mean(of: points)
    let covariance = Self.covariance(of: points, mean: mean)
    let variance = (0..<dimension).reduce(0) { $0 + covariance[$1 * (dimension + 1)] } / Double(dimension)
    var ridge = 0.0
    var factor = Self.factor(of: covariance, order: dimension, ridge: ridge)
    while factor == nil {
      ridge = ridge == 0 ? 1e-6 * (variance > 0 ? variance : 1) : 10 * ridge
      factor = Self.factor(of: covariance, order: dimension, ridge: ridge)
    }
    self.mean = mean
    self.factor = factor ?? []
    self.ridge = ridge
  }

  public var dimension: Int { mean.count }

  /// `log N(x; mean, covariance)` of every sample, `[count]` (Bishop 2006, Pattern Recognition and Machine Learning, equation 2.43).
  public func logDensities(of points: SampleMatrix) -> [Double] {
    precondition(points.dimension == dimension, "points of \(points.dimension) columns for a Gaussian of \(dimension)")
    let logDiagonal = (0..<dimension).reduce(0) { $0 + log(factor[$1 * (dimension + 1)]) }
    let constant = -logDiagonal - 0.5 * Double(dimension) * log(2 * .pi)
    var whitened = Array(repeating: 0.0, count: dimension)
    return (0..<points.count).map { sample in
      // Forward substitution: L w = x − mean, then |w|² is the Mahalanobis distance squared.
      var distance = 0.0
      for row in 0..<dimension {
        var rest = Double(points.values[sample * dimension + row]) - mean[row]
        for column in 0..<row { rest -= factor[row * dimension + column] * whitened[column] }
        whitened[row] = rest / factor[row * (dimension + 1)]
        distance += whitened[row] * whitened[row]
      }
      return constant - 0.5 * distance
    }
  }

  /// The mean of `logDensities`, in nats per sample.
  public func meanLogDensity(of points: SampleMatrix) -> Double {
    logDensities(of: points).reduce(0, +) / Double(points.count)
  }

  /// Nil where the matrix with `ridge` on its diagonal is not positive definite.
  private static func factor(of covariance: [Double], order: Int, ridge: Double) -> [Double]? {
    var ridged = covariance
    for index in 0..<order { ridged[index * (order + 1)] += ridge }
    return try? choleskyLowerFactor(of: ridged, order: order)
  }

  private static func mean(of points: SampleMatrix) -> [Double] {
    var mean = Array(repeating: 0.0, count: points.dimension)
    for (index, value) in points.values.enumerated() { mean[index % points.dimension] += Double(value) }
    return mean.map { $0 / Double(points.count) }
  }

  /// `[D][D]`; divided by the count, as maximum likelihood has it.
  private static func covariance(of points: SampleMatrix, mean: [Double]) -> [Double] {
    let dimension = points.dimension
    var covariance = Array(repeating: 0.0, count: dimension * dimension)
    var difference = mean
    for sample in 0..<points.count {
      for column in 0..<dimension {
        difference[column] = Double(points.values[sample * dimension + column]) - mean[column]
      }
      for row in 0..<dimension {
        for column in 0...row { covariance[row * dimension + column] += difference[row] * difference[column] }
      }
    }
    for row in 0..<dimension {
      for column in 0...row {
        covariance[row * dimension + column] /= Double(points.count)
        covariance[column * dimension + row] = covariance[row * dimension + column]
      }
    }
    return covariance
  }
}
