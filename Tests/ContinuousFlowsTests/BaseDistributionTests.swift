import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

/// Tests base distributions: densities against integrals and against each other, scores against differences, samples
/// against their moments.
@Suite struct BaseDistributionTests {
  static let bases: [BaseDistribution] = [
    .standardNormal,
    .gaussian(mean: [0.5, -1], deviation: [0.75, 1.5]),
    .fullGaussian(mean: [-0.25, 1], factor: [1.25, 0, -0.5, 0.75]),
    .uniform(low: [-1, 0.5], high: [2, 1]),
    .mixture(
      weights: [0.25, 0.75], means: StateMatrix(count: 2, dimension: 2, values: [-1.5, 0, 1, 0.5]),
      deviations: StateMatrix(count: 2, dimension: 2, values: [0.5, 1, 0.75, 0.5])),
  ]
  static let smooth = bases.filter { $0.kind != "uniform" }

  /// For smooth densities, the midpoint rule on a grid of spacing h converges faster than any power of h. It is exact
  /// for the box, whose sides lie on the grid. Gaussians of deviation at most 1.5 leave 1e-14 outside of 12.
  @Test(arguments: bases)
  func densitiesIntegrateToOne(base: BaseDistribution) {
    let h = 0.0625
    var sum = 0.0
    for row in -192..<192 {
      for column in -192..<192 {
        sum += exp(base.logDensity([Float((Double(row) + 0.5) * h), Float((Double(column) + 0.5) * h)])) * h * h
      }
    }
    #expect(abs(sum - 1) < 1e-10, "\(base.kind): \(sum)")
  }

  /// Central differences at points that floats represent exactly. The error is h² times a third derivative of about 10,
  /// plus rounding over h.
  @Test(arguments: smooth)
  func scoresAreTheDerivatives(base: BaseDistribution) throws {
    let h: Float = 0x1p-12
    for sample in 0..<20 {
      let points = BaseDistribution.standardNormal.samples(count: 20, dimension: 2, seed: 4)
      // Rounds to multiples of h, so that z ± h is exact.
      let z = points[sample].map { ($0 / h).rounded() * h }
      var score: [Double]? = []
      _ = base.logDensity(z, score: &score)
      for column in 0..<2 {
        var (above, below) = (z, z)
        above[column] += h
        below[column] -= h
        let difference = (base.logDensity(above) - base.logDensity(below)) / (2 * Double(h))
        #expect(abs(try #require(score)[column] - difference) < 1e-5, "\(base.kind) \(z)")
      }
    }
  }

  @Test func aFullFactorOfADiagonalIsIndependent() {
    let diagonal = BaseDistribution.gaussian(mean: [0.5, -1], deviation: [0.75, 1.5])
    let full = BaseDistribution.fullGaussian(mean: [0.5, -1], factor: [0.75, 0, 0, 1.5])
    let one = BaseDistribution.mixture(
      weights: [1], means: StateMatrix(count: 1, dimension: 2, values: [0.5, -1]),
      deviations: StateMatrix(count: 1, dimension: 2, values: [0.75, 1.5]))
    #expect(full.samples(count: 50, dimension: 2, seed: 1) == diagonal.samples(count: 50, dimension: 2, seed: 1))
    #expect(one.samples(count: 50, dimension: 2, seed: 1) == diagonal.samples(count: 50, dimension: 2, seed: 1))
    for z: [Float] in [[0, 0], [1, -2], [30, 4]] {
      #expect(abs(full.logDensity(z) - diagonal.logDensity(z)) < 1e-12 * abs(diagonal.logDensity(z)))
      #expect(abs(one.logDensity(z) - diagonal.logDensity(z)) < 1e-12 * abs(diagonal.logDensity(z)))
    }
  }

  /// The mean of −log p over n samples of p is the entropy, within deviation/√n. If p covers another base, the mean of
  /// p_other/p over the same samples is 1.
  @Test(arguments: bases)
  func samplesHaveTheDensity(base: BaseDistribution) {
    let count = 40_000
    let samples = base.samples(count: count, dimension: 2, seed: 7)
    // Compares the shares of the four quadrants around the point (0.25, 0.6) with integrals of the density.
    let h = 0.05
    var expected = [0.0, 0, 0, 0]
    var seen = [0.0, 0, 0, 0]
    func quadrant(_ x: Double, _ y: Double) -> Int { (x < 0.25 ? 0 : 1) + (y < 0.6 ? 0 : 2) }
    for row in -240..<240 {
      for column in -240..<240 {
        let (x, y) = (0.25 + (Double(row) + 0.5) * h, 0.6 + (Double(column) + 0.5) * h)
        expected[quadrant(x, y)] += exp(base.logDensity([Float(x), Float(y)])) * h * h
      }
    }
    for sample in 0..<count {
      let row = samples[sample].map { Double($0) }
      seen[quadrant(row[0], row[1])] += 1 / Double(count)
    }
    // Five standard errors of a share of one half, and the error of the grid at the box's sides.
    let tolerance = 5 * 0.5 / Double(count).squareRoot() + (base.kind == "uniform" ? 0.06 : 1e-3)
    for (found, share) in zip(seen, expected) {
      #expect(abs(found - share) < tolerance, "\(base.kind) \(seen) \(expected)")
    }
  }

  @Test func aSampleDoesNotDependOnTheirNumber() {
    for base in Self.bases {
      let many = base.samples(count: 64, dimension: 2, seed: 3)
      #expect(base.samples(count: 5, dimension: 2, seed: 3) == many.rows(0..<5))
      #expect(base.samples(count: 2, dimension: 2, seed: 3, identifiers: [9, 2]) == many.rows([9, 2]))
      #expect(base.samples(count: 64, dimension: 2, seed: 3, step: 1) != many)
    }
  }

  /// Fits recover the distribution of the samples: means and deviations within 5 deviations/√n.
  @Test func fitsFindWhatSamplesCameFrom() throws {
    let count = 20_000
    let error = Float(5 * 1.5 / Double(count).squareRoot())
    let full = Self.bases[2]
    guard
      case .fullGaussian(let mean, let factor) = BaseDistribution.fullGaussian(
        fitting: full.samples(count: count, dimension: 2, seed: 5)), case .fullGaussian(let m, let f) = full
    else { throw CancellationError() }
    for (found, one) in zip(mean + factor, m + f) { #expect(abs(found - one) < error) }

    let mixture = Self.bases[4]
    guard
      case .mixture(let weights, let means, let deviations) = BaseDistribution.mixture(
        of: 2, fitting: mixture.samples(count: count, dimension: 2, seed: 5), seed: 1),
      case .mixture(_, let m, let d) = mixture
    else { throw CancellationError() }
    let order = weights[0] < weights[1] ? [0, 1] : [1, 0]
    #expect(abs(weights[order[0]] - 0.25) < 0.03)
    // Components overlap, so the errors of a mixture's parameters are about four times those of a Gaussian's.
    for (found, one) in zip(means.rows(order).values, m.values) { #expect(abs(found - one) < 4 * error) }
    for (found, one) in zip(deviations.rows(order).values, d.values) { #expect(abs(found - one) < 4 * error) }

    let box = BaseDistribution.uniform(fitting: StateMatrix(count: 3, dimension: 2, values: [0, 1, 2, 1, -1, 1]))
    #expect(box == .uniform(low: [-1, 0.5], high: [2, 1.5]))
  }

  /// With more components than clusters, and with samples that coincide, weights stay positive and no deviation becomes
  /// 0.
  @Test func mixturesOfFewPointsAreDistributions() {
    let points = StateMatrix(count: 6, dimension: 1, values: [0, 0, 0, 1, 1, 1])
    for components in 1...6 {
      let fit = BaseDistribution.mixture(of: components, fitting: points, seed: 0)
      #expect(fit.problem(dimension: 1) == nil, "\(fit)")
      #expect(fit.logDensity([0.5]).isFinite)
    }
  }

  @Test func problemsAreNamed() {
    #expect(BaseDistribution.gaussian(mean: [0], deviation: [1]).problem(dimension: 2) == "mean has 1 numbers, needs 2")
    #expect(
      BaseDistribution.gaussian(mean: [0], deviation: [0]).problem(dimension: 1) == "deviation has to be positive")
    #expect(
      BaseDistribution.fullGaussian(mean: [0, 0], factor: [1, 1, 0, 1]).problem(dimension: 2)
        == "factor is not lower triangular")
    #expect(BaseDistribution.uniform(low: [1], high: [1]).problem(dimension: 1) == "low has to be below high")
    let one = StateMatrix(count: 1, dimension: 1, values: [1])
    #expect(
      BaseDistribution.mixture(weights: [0.5], means: one, deviations: one).problem(dimension: 1)
        == "weights do not sum to 1")
  }

  /// A file keeps every bit of each base.
  @Test(arguments: bases)
  func filesHoldTheBase(base: BaseDistribution) throws {
    let folder = try TemporaryFolder()
    var flow = TrainingFixture.flow
    flow.base = base
    try flow.write(to: folder.file("flow.safetensors"))
    #expect(try ContinuousFlow(contentsOf: folder.file("flow.safetensors")) == flow)
  }

  /// A flow whose field is 0 has the density and the samples of its base. The loss by a closure equals the solver's
  /// own.
  @Test(arguments: smooth, Backend.allCases)
  func densitiesAndLossesCountTheBase(base: BaseDistribution, backend: Backend) throws {
    var flow = TrainingFixture.flow
    flow.transform = .identity(dimension: 2)
    let points = TrainingFixture.split.train.samples.rows(0..<50)
    let plain = try flow.logDensities(of: points, backend: backend)
    let latent = try makeSolver(program: flow.program, options: SolverOptions(), backend: backend, scalar: Float.self)
      .solve(
        SolveProblem(parameters: flow.parameters, states: points.values.map { Float($0) }, from: flow.endTime, to: 0))
    flow.base = base
    let found = try flow.logDensities(of: points, backend: backend)
    for sample in 0..<points.count {
      let z = latent.states[2 * sample..<2 * sample + 2]
      let expected = plain.values[sample] - BaseDistribution.standardNormal.logDensity(z) + base.logDensity(z)
      #expect(abs(found.values[sample] - expected) <= 1e-12 * max(1, abs(expected)))
    }
    let solver = try makeSolver(
      program: flow.program, options: SolverOptions(), backend: backend, scalar: Float.self)
    let problem = SolveProblem(
      parameters: flow.parameters, states: points.values.map { Float($0) }, from: flow.endTime, to: 0)
    let loss = try solver.gradient(of: base.negativeLogLikelihood(dimension: 2, scale: 1), at: problem)
    #expect(abs(loss.losses.reduce(0, +) + found.values.reduce(0, +)) < 1e-9 * Double(points.count) * 10)
    // The number of threads changes nothing with a closure either.
    let alone = try makeSolver(
      program: flow.program, options: SolverOptions(threads: 1), backend: backend, scalar: Float.self
    ).gradient(of: base.negativeLogLikelihood(dimension: 2, scale: 1), at: problem)
    #expect(alone.parameters == loss.parameters && alone.states == loss.states)
  }

  /// The standard normal's loss through a closure equals the solver's own, up to the rounding of cotangents.
  @Test(arguments: Backend.allCases)
  func aClosureGivesTheSolversOwnLoss(backend: Backend) throws {
    let flow = TrainingFixture.flow
    let points = TrainingFixture.split.train.samples.rows(0..<70)
    let solver = try makeSolver(
      program: flow.program, options: SolverOptions(), backend: backend, scalar: Float.self)
    let problem = SolveProblem(
      parameters: flow.parameters, states: points.values.map { Float($0) }, from: flow.endTime, to: 0)
    let own = try solver.gradient(of: .standardNormalNegativeLogLikelihood(scale: 0.125), at: problem)
    let unit = BaseDistribution.gaussian(mean: [0, 0], deviation: [1, 1])
    let closure = try solver.gradient(of: unit.negativeLogLikelihood(dimension: 2, scale: 0.125), at: problem)
    let largest = own.parameters.map(abs).max() ?? 0
    for (found, one) in zip(closure.parameters, own.parameters) { #expect(abs(found - one) < 1e-5 * largest) }
    for (found, one) in zip(closure.losses, own.losses) { #expect(abs(found - one) < 1e-12 * max(1, abs(one))) }
  }

  /// Regularisers have the same weight with a closure. With a Gaussian base of unit covariance, loss and gradient equal
  /// those with the standard normal base, up to the rounding of cotangents.
  @Test(arguments: Backend.allCases) func regularisersAreOfTheMean(backend: Backend) throws {
    let options = TrainingFixture.options(
      steps: 1, backend: backend, regularisation: Regularisation(kineticEnergy: 0.05, frobeniusNorm: 0.02))
    var flow = TrainingFixture.flow
    var batches = TrainingBatches(TrainingFixture.split.train, transform: flow.transform, size: 32, seed: 11)
    let batch = batches.batch(step: 0)
    let plain = try MaximumLikelihood(flow: flow, options: options).gradient(of: batch, model: flow)
    flow.base = .gaussian(mean: [0, 0], deviation: [1, 1])
    let closure = try MaximumLikelihood(flow: flow, options: options).gradient(of: batch, model: flow)
    #expect(try #require(plain.kineticEnergy) > 0 && #require(plain.frobeniusNorm) > 0)
    for (found, one) in [(closure.loss, plain.loss), (closure.nllNats, plain.nllNats)] {
      #expect(abs(try #require(found) - #require(one)) < 1e-12 * max(1, abs(try #require(one))))
    }
    let largest = plain.parameters.map(abs).max() ?? 0
    for (found, one) in zip(closure.parameters, plain.parameters) { #expect(abs(found - one) < 1e-5 * largest) }
  }

  /// A mixture fitted to the data is a better start: the same few steps reach a lower loss.
  @Test func trainingFromAMixtureWorks() throws {
    var options = TrainingFixture.options(steps: 30, backend: .c)
    options.validationInterval = 10
    var losses: [String: Double] = [:]
    for components in [0, 8] {
      var flow = TrainingFixture.flow
      let seen = flow.transform.forward(TrainingFixture.split.train.samples.values)
      if components > 0 {
        flow.base = .mixture(
          of: components, fitting: StateMatrix(count: seen.count / 2, dimension: 2, values: seen), seed: 0)
      }
      let result = try Trainer(
        flow: flow, training: TrainingFixture.split.train, validation: TrainingFixture.split.validation,
        options: options
      ).run()
      losses[flow.base.kind] = try #require(result.validation).nllNats
    }
    #expect(try #require(losses["mixture"]) < #require(losses["standard-normal"]), "\(losses)")
  }

  @Test func maximumLikelihoodRefusesABox() {
    var flow = TrainingFixture.flow
    flow.base = .uniform(low: [-1, -1], high: [1, 1])
    #expect(throws: TrainingError.self) {
      try Trainer(
        flow: flow, training: TrainingFixture.split.train,
        options: TrainingFixture.options(steps: 1, backend: .c))
    }
  }
}
