import Testing

@testable import ContinuousFlows

/// Three steps of the textbook formula (bias-corrected moments) from `start`, computed with float64 in numpy.
private struct GoldenRun: Sendable {
  let decay: WeightDecay
  let parameters: [Double]

  static let start: [Float] = [1, -0.5, 2]
  static let gradients: [[Float]] = [[0.5, -2, 0.1], [0.25, 1, -0.3], [-0.75, 0.5, 0]]
  static let learningRate = 0.01
  static let all = [
    GoldenRun(decay: .none, parameters: [0.9814979720110778, -0.4867227410469671, 1.998762000637309]),
    GoldenRun(decay: .penalty(0.1), parameters: [0.9794715651343595, -0.4860747201741417, 1.980026091916895]),
    GoldenRun(decay: .decoupled(0.1), parameters: [0.9785302828068303, -0.4852468939172469, 1.992783046737198]),
  ]
}

@Suite struct OptimiserTests {
  @Test(arguments: GoldenRun.all)
  private func adamFollowsTheFormula(golden: GoldenRun) {
    let adam = Adam(weightDecay: golden.decay)
    var parameters = GoldenRun.start
    var moments = AdamMoments(parameterCount: 3)
    for (step, gradient) in GoldenRun.gradients.enumerated() {
      adam.update(
        &parameters, gradient: gradient, moments: &moments, step: step, learningRate: GoldenRun.learningRate)
    }
    // The bound covers three steps, each with one rounding of the parameter and an error of some ulps in a step of
    // 0.01.
    for (found, expected) in zip(parameters, golden.parameters) {
      #expect(abs(Double(found) - expected) <= 4 * Double(Float(expected).ulp), "\(found) for \(expected)")
    }
  }

  @Test func gradientScaleIsThatOfTheGradient() {
    let gradient: [Float] = [0.5, -2, 0.125]
    var scaled: [Float] = [1, 2, 3]
    var plain = scaled
    var first = AdamMoments(parameterCount: 3)
    var second = first
    let adam = Adam(weightDecay: .decoupled(0.1))
    adam.update(&scaled, gradient: gradient, gradientScale: 0.25, moments: &first, step: 0, learningRate: 0.1)
    adam.update(&plain, gradient: gradient.map { $0 * 0.25 }, moments: &second, step: 0, learningRate: 0.1)
    #expect(scaled == plain)
    #expect(first == second)
  }

  @Test func decoupledDecayShrinksWhatHasNoGradient() {
    var parameters: [Float] = [4]
    var moments = AdamMoments(parameterCount: 1)
    Adam(weightDecay: .decoupled(0.5)).update(
      &parameters, gradient: [0], moments: &moments, step: 0, learningRate: 0.5)
    #expect(parameters == [3])
  }

  @Test(arguments: [1, 7, 8, 9, 64, 1001])
  func normIsEuclidean(count: Int) {
    let gradient = (0..<count).map { Float($0 % 13) - 6 }
    let square = gradient.reduce(0) { $0 + Double($1) * Double($1) }
    // Sums of small integers are exact.
    #expect(GradientNorm.euclidean(gradient) == square.squareRoot())
  }

  @Test func normTellsNaN() {
    var gradient = [Float](repeating: 1, count: 30)
    gradient[29] = .nan
    #expect(!GradientNorm.euclidean(gradient).isFinite)
    gradient[29] = .infinity
    #expect(!GradientNorm.euclidean(gradient).isFinite)
  }

  @Test func clippingShortensToTheLimit() {
    #expect(GradientNorm.clipScale(norm: 10, limit: 5) == 0.5)
    #expect(GradientNorm.clipScale(norm: 5, limit: 5) == 1)
    #expect(GradientNorm.clipScale(norm: 10, limit: nil) == 1)
    #expect(GradientNorm.clipScale(norm: 0, limit: 5) == 1)
  }

  @Test func averageWarmsUp() {
    let average = ExponentialMovingAverage(decay: 0.99)
    #expect(average.decay(ofUpdate: 0) == 0.1)
    #expect(average.decay(ofUpdate: 90) == 0.91)
    #expect(average.decay(ofUpdate: 100_000) == 0.99)
    var weights: [Float] = [1, 0]
    average.update(&weights, towards: [2, -4], update: 0)
    #expect(weights == [1.9, -3.6])
  }
}
