import ContinuousFlows
import Testing

@Suite struct DataGaussianBaselineTests {
  @Test func fitsByMaximumLikelihood() {
    // The mean is (1, 2). The covariance about it is [[2/3·4, 0], [0, 2/3·1]], divided by the count.
    let points = SampleMatrix(count: 4, dimension: 2, values: [3, 2, -1, 2, 1, 3, 1, 1])
    let gaussian = GaussianBaseline(fitting: points)
    #expect(gaussian.mean == [1, 2] && gaussian.ridge == 0)
    for (found, expected) in zip(gaussian.factor, [2.0, 0, 0, 0.5].map { $0.squareRoot() }) {
      #expect(abs(found - expected) < 1e-15)
    }
    // At the mean, log N is −log 2π − ½ log det, and det is 1.
    let atMean = gaussian.logDensities(of: SampleMatrix(count: 1, dimension: 2, values: [1, 2]))[0]
    #expect(abs(atMean + 1.8378770664093453) < 1e-14)
    // The mean log-density of the points themselves is −D/2 (1 + log 2π) − ½ log det.
    #expect(abs(gaussian.meanLogDensity(of: points) + 2.8378770664093453) < 1e-14)
  }

  @Test func correlationsCount() {
    let points = SampleMatrix(count: 4, dimension: 2, values: [1, 1.5, -1, -1.5, 2, 1, -2, -1])
    let gaussian = GaussianBaseline(fitting: points)
    // The covariance is [[2.5, 1.75], [1.75, 1.625]], with determinant 1.
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

  /// For a Gaussian on (x + u)/17, fitted to 1,437 of the digits with 360 held out, others report about 50.7 nats of
  /// log-density. Splits differ by some nats.
  @Test func onTheDigits() throws {
    let source = try DatasetSource("digits")
    let split = try source.load().split(source.splitSizes)
    let gaussian = GaussianBaseline(fitting: split.fitted.continuousSamples())
    let nats = gaussian.meanLogDensity(of: split.test.continuousSamples())
    #expect((47...54).contains(nats), "\(nats) nats")
  }
}
