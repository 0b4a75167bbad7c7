import ContinuousFlows
import Testing

@Suite struct DataGaussianBaselineTests {
  @Test func fitsByMaximumLikelihood() {
    // Mean (1, 2); covariance [[2/3·4, 0], [0, 2/3·1]] about it, divided by the count.
    let points = SampleMatrix(count: 4, dimension: 2, values: [3, 2, -1, 2, 1, 3, 1, 1])
    let gaussian = GaussianBaseline(fitting: points)
    #expect(gaussian.mean == [1, 2] && gaussian.ridge == 0)
    for (found, expected) in zip(gaussian.factor, [2.0, 0, 0, 0.5].map { $0.squareRoot() }) {
      #expect(abs(found - expected) < 1e-15)
    }
    // log N at the mean is −log 2π − ½ log det, and det is 1.
    let atMean = gaussian.logDensities(of: SampleMatrix(count: 1, dimension: 2, values: [1, 2]))[0]
    #expect(abs(atMean + 1.8378770664093453) < 1e-14)
    // The mean log-density of the points themselves is −D/2 (1 + log 2π) − ½ log det.
    #expect(abs(gaussian.meanLogDensity(of: points) + 2.8378770664093453) < 1e-14)
  }

  @Test func correlationsCount() {
    let points = SampleMatrix(count: 4, dimension: 2, values: [1, 1.5, -1, -1.5, 2, 1, -2, -1])
    let gaussian = GaussianBaseline(fitting: points)
    // Covariance [[2.5, 1.75], [1.75, 1.625]]: determinant 1.
    #expect(abs(gaussian.meanLogDensity(of: points) + 1 + 1.8378770664093453) < 1e-12)
  }

  @Test func singularCovariancesGetTheSmallestRidgeThatServes() {
    let points = SampleMatrix(count: 3, dimension: 2, values: [1, 2, 2, 4, 3, 6])
    let gaussian = GaussianBaseline(fitting: points)
    let constant = GaussianBaseline(fitting: SampleMatrix(count: 2, dimension: 2, values: [1, 5, 1, 7]))
    #expect(gaussian.ridge <= 1e-6 * 5.0 / 3)
    #expect(constant.ridge == 1e-6 * 0.5)
    #expect(gaussian.meanLogDensity(of: points).isFinite)
  }

  /// The figure that others report for a Gaussian on (x + u)/17 with 1,437 of the digits to fit and 360 held out is
  /// about 50.7 nats; splits differ by some nats.
  @Test func onTheDigits() throws {
    let source = try DatasetSource("digits")
    let split = try source.load().split(source.splitSizes)
    let gaussian = GaussianBaseline(fitting: split.fitted.continuousSamples())
    let nats = gaussian.meanLogDensity(of: split.test.continuousSamples())
    #expect((47...54).contains(nats), "\(nats) nats")
  }
}
