import ContinuousFlows
import Foundation

/// N(0, I) and N(m, S) in the plane, whose optimal transport is known: x ↦ m + S^(1/2) x, of cost W₂² = |m|² + tr(I + S
/// − 2 S^(1/2)) (Dowson, Landau 1982, Journal of Multivariate Analysis 12; Olkin, Pukelsheim 1982, Linear Algebra and
/// its Applications 48).
struct GaussianPair {
  var mean = [2.0, -1.0]
  /// S = [[a, b], [b, c]].
  var covariance = (a: 1.6, b: -0.7, c: 0.5)

  init() {}

  /// N(0, I) and the Gaussian with the mean and covariance of `samples`, which maximum likelihood gives.
  init(fittedTo samples: SampleMatrix) {
    let (x, y) = (0..<samples.count).reduce(into: ([Double](), [Double]())) { columns, sample in
      columns.0.append(Double(samples.values[2 * sample]))
      columns.1.append(Double(samples.values[2 * sample + 1]))
    }
    func average(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let (u, v) = (average(x), average(y))
    mean = [u, v]
    covariance = (
      average(x.map { ($0 - u) * ($0 - u) }), average(zip(x, y).map { ($0 - u) * ($1 - v) }),
      average(y.map { ($0 - v) * ($0 - v) })
    )
  }

  private var determinant: Double { covariance.a * covariance.c - covariance.b * covariance.b }
  private var trace: Double { covariance.a + covariance.c }

  /// For a symmetric positive 2 × 2 matrix, tr S^(1/2) = √(tr S + 2 √det S), by its eigenvalues.
  var squaredDistance: Double {
    let root = (trace + 2 * determinant.squareRoot()).squareRoot()
    return mean.reduce(0) { $0 + $1 * $1 } + 2 + trace - 2 * root
  }

  /// Mean |m + S^(1/2) x − x|² over `samples` of N(0, I): their displacement by optimal transport, whose mean is W₂².
  /// For a 2 × 2 matrix S^(1/2) = (S + √det S · I) / tr S^(1/2).
  func squaredDisplacement(of samples: SampleMatrix) -> Double {
    let root = determinant.squareRoot()
    let size = (trace + 2 * root).squareRoot()
    let (a, b, c) = ((covariance.a + root) / size - 1, covariance.b / size, (covariance.c + root) / size - 1)
    return (0..<samples.count).reduce(0.0) { sum, sample in
      let row = samples[sample]
      let (x, y) = (row[row.startIndex], row[row.startIndex + 1])
      let (u, v) = (mean[0] + a * x + b * y, mean[1] + b * x + c * y)
      return sum + u * u + v * v
    } / Double(samples.count)
  }

  /// The entropy of N(m, S) in nats: no model has a lower expected NLL.
  var entropy: Double { 1 + log(2 * Double.pi) + 0.5 * log(determinant) }

  /// Draws samples of N(m, S), through the Cholesky factor.
  func dataset(count: Int, seed: UInt64) -> Dataset {
    let source = RandomSource(seed: seed, stream: .data, step: 5)
    let first = covariance.a.squareRoot()
    let (below, last) = (covariance.b / first, (determinant / covariance.a).squareRoot())
    let values = (0..<UInt64(count)).flatMap { sample -> [Double] in
      let (u, v) = (source.normal(sample: sample, dimension: 0), source.normal(sample: sample, dimension: 1))
      return [mean[0] + first * u, mean[1] + below * u + last * v]
    }
    return Dataset(name: "Gaussian pair", samples: SampleMatrix(count: count, dimension: 2, values: values))
  }
}
