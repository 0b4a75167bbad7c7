import CLibrary
import FieldPrograms
import KernelBridge

/// The Gaussian of full covariance that fits the training data best (maximum likelihood: Bishop 2006, section 2.3.4):
/// the baseline that a flow must beat.
///
/// All computations are in Double. If the covariance is singular to working precision, 1e-6 of the mean variance is
/// added to its diagonal, then ten times as much, until it has a Cholesky factor; `ridge` is the amount added.
public struct GaussianBaseline: Sendable {
  /// `[D]`.
  public let mean: [Double]
  /// Lower triangular L with `L Lᵀ` = covariance, `[D][D]` row-major.
  public let factor: [Double]
  /// The amount added to the diagonal; 0 unless the covariance is singular.
  public let ridge: Double

  /// Fits `samples`, which must not be empty.
  public init(fitting samples: SampleMatrix) {
    precondition(samples.count > 0, "a Gaussian needs samples to fit")
    precondition(samples.values.allSatisfy(\.isFinite), "a Gaussian needs finite samples")
    let dimension = samples.dimension
    let mean = ColumnMoments(of: samples).mean
    let covariance = Self.covariance(of: samples, mean: mean)
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

  /// `log N(x; mean, covariance)` of every sample in nats, `[count]` (Bishop 2006, Pattern Recognition and Machine
  /// Learning, equation 2.43).
  public func logDensities(of samples: SampleMatrix) -> [Double] {
    precondition(
      samples.dimension == dimension, "samples of \(samples.dimension) columns for a Gaussian of \(dimension)")
    let logDiagonal = (0..<dimension).reduce(0) { $0 + log(factor[$1 * (dimension + 1)]) }
    let constant = -logDiagonal - 0.5 * Double(dimension) * log(2 * .pi)
    var whitened = Array(repeating: 0.0, count: dimension)
    return (0..<samples.count).map { sample in
      // Forward substitution: L w = x − mean, then |w|² is the Mahalanobis distance squared.
      var distance = 0.0
      for row in 0..<dimension {
        var rest = samples.values[sample * dimension + row] - mean[row]
        for column in 0..<row { rest -= factor[row * dimension + column] * whitened[column] }
        whitened[row] = rest / factor[row * (dimension + 1)]
        distance += whitened[row] * whitened[row]
      }
      return constant - 0.5 * distance
    }
  }

  /// The mean of `logDensities`, in nats per sample.
  public func meanLogDensity(of samples: SampleMatrix) -> Double {
    logDensities(of: samples).reduce(0, +) / Double(samples.count)
  }

  /// nil if the matrix with `ridge` on its diagonal is not positive definite.
  private static func factor(of covariance: [Double], order: Int, ridge: Double) -> [Double]? {
    var ridged = covariance
    for index in 0..<order { ridged[index * (order + 1)] += ridge }
    return try? choleskyLowerFactor(of: ridged, order: order)
  }

  /// The covariance, `[D][D]`, divided by the count as in maximum likelihood.
  private static func covariance(of samples: SampleMatrix, mean: [Double]) -> [Double] {
    let dimension = samples.dimension
    var covariance = Array(repeating: 0.0, count: dimension * dimension)
    var difference = mean
    for sample in 0..<samples.count {
      for column in 0..<dimension {
        difference[column] = samples.values[sample * dimension + column] - mean[column]
      }
      for row in 0..<dimension {
        for column in 0...row { covariance[row * dimension + column] += difference[row] * difference[column] }
      }
    }
    for row in 0..<dimension {
      for column in 0...row {
        covariance[row * dimension + column] /= Double(samples.count)
        covariance[column * dimension + row] = covariance[row * dimension + column]
      }
    }
    return covariance
  }
}
