import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct ReverseSamplingTests {
  static let samplers: [ReverseSampler] = [
    .eulerMaruyama(steps: 100), .predictorCorrector(steps: 60, signalToNoise: 0.16),
  ]

  /// Mean and variance of w after the sampler's steps: with a linear score they follow a recursion, exactly.
  private func moments(_ data: GaussianDiffusion, _ sampler: ReverseSampler) -> (mean: [Double], variance: [Double]) {
    let process = data.process
    var mean = [Double](repeating: 0, count: data.dimension)
    var variance = mean.map { _ in process.baseDeviation * process.baseDeviation }
    /// w ← a w + b − k score-slope …: of a step `w + along · score(w) + state · w + √noise ξ`.
    func step(at s: Double, state: Double, along: Double, noise: Double) {
      let here = data.moments(at: s)
      for row in mean.indices {
        let factor = 1 + state - along / here.variance[row]
        mean[row] = factor * mean[row] + along * here.mean[row] / here.variance[row]
        variance[row] = factor * factor * variance[row] + noise
      }
    }
    let h = (1 - DiffusionProcess.samplingCutoff) / Double(sampler.steps)
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

  /// Samples have the recursion's moments within the errors of a mean and of a variance.
  @Test(arguments: DiffusionProcess.all, samplers)
  func momentsAreThoseOfTheSteps(process: DiffusionProcess, sampler: ReverseSampler) throws {
    let data = GaussianDiffusion(process, dimension: 2)
    let count = 4000
    let samples = try data.model.samples(count: count, seed: 5, by: sampler)
    let points = (0..<count).map { data.turned(samples[$0].map { Double($0) }) }
    let expected = moments(data, sampler)
    // 24 comparisons in all: beyond 4 standard errors lies one of 16,000.
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

  /// The steps lead to the probability flow's distribution as they become short, by first order or faster: where noise
  /// at the end is as little as that of `ve`, the term of first order hardly shows.
  @Test(arguments: DiffusionProcess.all)
  func shortStepsComeToTheFlowsDistribution(process: DiffusionProcess) {
    let data = GaussianDiffusion(process, dimension: 2)
    let cutoff = DiffusionProcess.samplingCutoff
    // The flow carries N(0, base²) at s = 1 to this; the diffusion forgets where it began, so both come to the data's.
    let exact = data.moments(at: cutoff).variance
    func error(_ steps: Int) -> Double {
      zip(moments(data, .eulerMaruyama(steps: steps)).variance, exact).reduce(0) { $0 + abs($1.0 / $1.1 - 1) }
    }
    let slope = log2(error(1000) / error(2000))
    #expect(process == .varianceExploding() ? slope > 0.8 : abs(slope - 1) < 0.2, "\(process): \(slope)")
    // h β₀ of the last step over a variance near σ² + 0.3, twice
    #expect(error(1000) < 0.01, "\(process): \(error(1000))")
  }

  /// A sample's bits depend on seed and number alone.
  @Test(arguments: samplers, Backend.allCases)
  func aSampleIsItsOwn(sampler: ReverseSampler, backend: Backend) throws {
    let model = ScoreMatchingFixture.model(.variancePreserving())
    let many = try model.samples(count: 67, seed: 9, by: sampler, threads: 1, backend: backend)
    let few = try model.samples(count: 5, seed: 9, by: sampler, threads: 3, backend: backend)
    #expect(few == many.rows(0..<5))
    let others = try model.samples(count: 5, seed: 10, by: sampler, threads: 3, backend: backend)
    #expect(zip(few.values, others.values).allSatisfy { $0 != $1 })
  }

  /// A sample that runs away is told of, with its number.
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

  /// Of a trained net: deterministic and stochastic samples are of one distribution by a permutation test of level 0.5
  /// %, which an untrained net's fail. (Exactly equal they are for the true score alone: with a tenth of the steps they
  /// are told apart.)
  @Test(arguments: DiffusionProcess.all)
  func bothKindsOfSamplesAgree(process: DiffusionProcess) throws {
    let (start, trained) = try ScoreMatchingFixture.trained(process, steps: 6000)
    // Two comparisons of each of three processes: one of all six is below the level by chance in 3 of 100 choices of
    // the seeds.
    let (count, level, permutations) = (300, 0.005, 399)
    let flow = try trained.samples(count: count, seed: 2)
    for sampler: ReverseSampler in [.eulerMaruyama(steps: 500), .predictorCorrector(steps: 250)] {
      // Another seed: with the same one both begin at the same places, and samples are to be independent.
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
  private static func normals(_ count: Int, seed: UInt64, shift: Float) -> SampleMatrix {
    let drawn = BaseDistribution.standardNormal.samples(count: count, dimension: 1, seed: seed)
    return SampleMatrix(count: count, dimension: 1, values: drawn.values.map { $0 + shift })
  }

  /// By hand: {0, 1} and {2}: 2 · 1.5 − ½ − 0.
  @Test func itIsTheFormula() {
    let first = SampleMatrix(count: 2, dimension: 1, values: [0, 1])
    let second = SampleMatrix(count: 1, dimension: 1, values: [2])
    #expect(EnergyDistance(between: first, and: second) == EnergyDistance(between: first, and: second))
    #expect(abs(EnergyDistance(between: first, and: second).value - 2.5) < 1e-15)
    #expect(EnergyDistance(between: first, and: second).pValue == nil)
    #expect(EnergyDistance(between: first, and: first, permutations: 5).pValue == 1)
  }

  /// Level and power: of 40 pairs of equal distributions about 4 have p ≤ 0.1, of shifted ones nearly all.
  @Test func theTestHasItsLevel() {
    func rejected(_ shift: Float) -> Int {
      (0..<40).count { trial in
        let first = Self.normals(40, seed: UInt64(2 * trial), shift: 0)
        let second = Self.normals(40, seed: UInt64(2 * trial + 1), shift: shift)
        return (EnergyDistance(between: first, and: second, permutations: 99, seed: 1).pValue ?? 1) <= 0.1
      }
    }
    // Binomial of 40 and 0.1: mean 4, deviation 1.9; three of them around it.
    #expect((0...9).contains(rejected(0)), "\(rejected(0))")
    #expect(rejected(1) >= 36, "\(rejected(1))")
  }
}
