import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct ReverseSamplingTests {
  static let samplers: [ReverseSampler] = [
    .eulerMaruyama(steps: 100), .predictorCorrector(steps: 60, signalToNoise: 0.16),
  ]

  /// Mean and variance of w after the sampler's steps. With a linear score they follow an exact recursion.
  private func moments(_ data: GaussianDiffusion, _ sampler: ReverseSampler) -> (mean: [Double], variance: [Double]) {
    let process = data.process
    var mean = [Double](repeating: 0, count: data.dimension)
    var variance = mean.map { _ in process.baseDeviation * process.baseDeviation }
    /// The coefficients of w ← a w + b − k score-slope …, for a step `w + along · score(w) + state · w + √noise ξ`.
    func step(at s: Double, state: Double, along: Double, noise: Double) {
      let here = data.moments(at: s)
      for row in mean.indices {
        let factor = 1 + state - along / here.variance[row]
        mean[row] = factor * mean[row] + along * here.mean[row] / here.variance[row]
        variance[row] = factor * factor * variance[row] + noise
      }
    }
    let h = (1 - DiffusionProcess.cutoff) / Double(sampler.steps)
    for number in 0..<sampler.steps {
      let s = 1 - Double(number) * h
      let g2 = process.diffusion(at: s) * process.diffusion(at: s)
      step(at: s, state: -h * process.drift(at: s), along: h * g2, noise: h * g2)
      guard case .predictorCorrector(_, let ratio) = sampler else { continue }
      let length = 2 * pow(ratio * process.deviation(at: s - h), 2)
      step(at: s - h, state: 0, along: length, noise: 2 * length)
    }
    return (mean, variance)
  }

  /// Samples have the recursion's moments, within the standard errors of a mean and a variance.
  @Test(arguments: DiffusionProcess.all, samplers)
  func momentsAreThoseOfTheSteps(process: DiffusionProcess, sampler: ReverseSampler) throws {
    let data = GaussianDiffusion(process, dimension: 2)
    let count = 4000
    let samples = try data.model.samples(count: count, seed: 5, by: sampler)
    let points = (0..<count).map { data.turned(samples[$0].map { Double($0) }) }
    let expected = moments(data, sampler)
    // There are 24 comparisons. The probability of an error beyond 4 standard errors is 1 in 16,000.
    let errors = 4.0
    for row in 0..<2 {
      let mean = points.reduce(0) { $0 + $1[row] } / Double(count)
      let variance = points.reduce(0) { $0 + pow($1[row] - mean, 2) } / Double(count - 1)
      let (wantedMean, wanted) = (expected.mean[row], expected.variance[row])
      #expect(
        abs(mean - wantedMean) < errors * (wanted / Double(count)).squareRoot(), "\(process) \(sampler): mean \(row)")
      #expect(
        abs(variance - wanted) < errors * wanted * (2 / Double(count)).squareRoot(),
        "\(process) \(sampler): variance \(row): \(variance), \(wanted)")
    }
  }

  /// As the steps become shorter, samples converge to the distribution of the probability flow, with order one or
  /// faster. For `ve`, whose noise at the end is small, the term of order one is hardly visible.
  @Test(arguments: DiffusionProcess.all)
  func shortStepsComeToTheFlowsDistribution(process: DiffusionProcess) {
    let data = GaussianDiffusion(process, dimension: 2)
    let cutoff = DiffusionProcess.cutoff
    // The flow maps N(0, base²) at s = 1 to this distribution. The diffusion forgets its start, so both reach that of
    // the data.
    let exact = data.moments(at: cutoff).variance
    func error(_ steps: Int) -> Double {
      zip(moments(data, .eulerMaruyama(steps: steps)).variance, exact).reduce(0) { $0 + abs($1.0 / $1.1 - 1) }
    }
    let slope = log2(error(1000) / error(2000))
    #expect(process == .varianceExploding() ? slope > 0.8 : abs(slope - 1) < 0.2, "\(process): \(slope)")
    // Twice h β₀ of the last step, divided by a variance near σ² + 0.3.
    #expect(error(1000) < 0.01, "\(process): \(error(1000))")
  }

  /// A sample's bits depend only on the seed and its number.
  @Test(arguments: samplers, Backend.allCases)
  func aSampleIsItsOwn(sampler: ReverseSampler, backend: Backend) throws {
    let model = ScoreMatchingFixture.model(.variancePreserving())
    let many = try model.samples(count: 67, seed: 9, by: sampler, threads: 1, backend: backend)
    let few = try model.samples(count: 5, seed: 9, by: sampler, threads: 3, backend: backend)
    #expect(few == many.rows(0..<5))
    let others = try model.samples(count: 5, seed: 10, by: sampler, threads: 3, backend: backend)
    #expect(zip(few.values, others.values).allSatisfy { $0 != $1 })
  }

  /// A sample that overflows is an error that names its number.
  @Test func divergenceIsAFailure() throws {
    var model = ScoreMatchingFixture.model(.variancePreserving())
    model.parameters = model.parameters.map { _ in .infinity }
    #expect {
      _ = try model.samples(count: 3, seed: 0, by: .eulerMaruyama(steps: 3))
    } throws: { error in
      guard let failure = error as? SolveFailure else { return false }
      return failure.status == .notFinite && failure.sample == 0 && failure.failed == 3
    }
  }

  /// With a trained net, deterministic and stochastic samples pass a permutation test of equal distribution at the
  /// level 0.5 %, and those of an untrained net fail it. (The distributions are exactly equal for the true score only:
  /// with ten times fewer steps the test distinguishes them.)
  @Test(arguments: DiffusionProcess.all)
  func bothKindsOfSamplesAgree(process: DiffusionProcess) throws {
    let (start, trained) = try ScoreMatchingFixture.trained(process, steps: 6000)
    // Each of three processes has two comparisons. With 3 in 100 choices of the seeds, one of the six is below the
    // level by chance.
    let (count, level, permutations) = (300, 0.005, 399)
    let flow = try trained.samples(count: count, seed: 2)
    for sampler: ReverseSampler in [.eulerMaruyama(steps: 500), .predictorCorrector(steps: 250)] {
      // The seeds differ: with the same seed both samplers begin with the same noise, and the samples would not be
      // independent.
      let walked = try trained.samples(count: count, seed: 3, by: sampler)
      let distance = EnergyDistance(between: flow, and: walked, permutations: permutations, seed: 3)
      #expect((distance.pValue ?? 0) > level, "\(process) \(sampler): \(distance)")
    }
    let untrained = EnergyDistance(
      between: flow, and: try start.samples(count: count, seed: 3), permutations: permutations, seed: 3)
    #expect((untrained.pValue ?? 1) <= level, "\(process): \(untrained)")
  }
}

@Suite struct EnergyDistanceTests {
  private static func normals(_ count: Int, seed: UInt64, shift: Double) -> SampleMatrix {
    let drawn = BaseDistribution.standardNormal.samples(count: count, dimension: 1, seed: seed)
    return SampleMatrix(count: count, dimension: 1, values: drawn.values.map { Double($0) + shift })
  }

  /// Computed by hand for {0, 1} and {2}: 2 · 1.5 − ½ − 0.
  @Test func itIsTheFormula() {
    let first = SampleMatrix(count: 2, dimension: 1, values: [0, 1])
    let second = SampleMatrix(count: 1, dimension: 1, values: [2])
    #expect(EnergyDistance(between: first, and: second) == EnergyDistance(between: first, and: second))
    #expect(abs(EnergyDistance(between: first, and: second).value - 2.5) < 1e-15)
    #expect(EnergyDistance(between: first, and: second).pValue == nil)
    #expect(EnergyDistance(between: first, and: first, permutations: 5).pValue == 1)
  }

  /// Tests level and power. Of 40 pairs of equal distributions, about 4 have p ≤ 0.1; of pairs with a shift, nearly
  /// all.
  @Test func theTestHasItsLevel() {
    func rejected(_ shift: Double) -> Int {
      (0..<40).count { trial in
        let first = Self.normals(40, seed: UInt64(2 * trial), shift: 0)
        let second = Self.normals(40, seed: UInt64(2 * trial + 1), shift: shift)
        return (EnergyDistance(between: first, and: second, permutations: 99, seed: 1).pValue ?? 1) <= 0.1
      }
    }
    // A binomial distribution of 40 trials with probability 0.1 has mean 4 and deviation 1.9. The bound is three
    // deviations.
    #expect((0...9).contains(rejected(0)), "\(rejected(0))")
    #expect(rejected(1) >= 36, "\(rejected(1))")
  }
}
