import Foundation
import Testing

@testable import ContinuousFlows

/// Compares densities along paths with those of a linear flow, which are Gaussian at every time.
@Suite struct DensityPathTests {
  /// For `dx/dt = diag(a) x`, x(t) = e^{at} z is normal with deviations e^{at}.
  private static let rates: [Float] = [0.75, -0.5]
  private static let transform = DataTransform(shift: [1, -2], scale: [0.5, 4])
  private static var linear: ContinuousFlow {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    return ContinuousFlow(
      program: program, parameters: [rates[0], 0, 0, rates[1], 0, 0], endTime: 1.5, transform: transform)
  }
  private static let times = [0, 0.1, 0.1, 0.7, 1.2]
  private static let tolerance = 1e-6
  /// The number of steps of these short solves, rounded up. Each step may err by the tolerance.
  private static let steps = 20.0

  @Test(arguments: Backend.allCases) func densitiesAreTheGaussiansOfTheirTimes(backend: Backend) throws {
    let flow = Self.linear
    let options = SolverOptions(control: .perSample(rtol: Self.tolerance, atol: Self.tolerance))
    let paths = try flow.logDensityPaths(count: 5, seed: 2, times: Self.times, options: options, backend: backend)
    #expect(paths.times == Self.times && paths.states.count == 5 && paths.logDensities.count == 5)
    let base = flow.baseSamples(count: 5, seed: 2)
    for (time, t) in Self.times.enumerated() {
      for sample in 0..<5 {
        var expected = 0.0
        for column in 0..<2 {
          let (scale, z) = (Double(Self.transform.scale[column]), Double(base[sample][2 * sample + column]))
          let growth = exp(Double(Self.rates[column]) * t)
          expected -= 0.5 * z * z + 0.5 * log(2 * Double.pi) + log(growth * scale)
          let place = Double(Self.transform.shift[column]) + scale * growth * z
          // The bound is in units of the transform's scale. z is at most 3 and grows by 3.1 at most.
          #expect(
            abs(Double(paths.states[time][sample][2 * sample + column]) - place) < 4 * Self.steps * Self.tolerance * 4)
        }
        #expect(abs(paths.logDensities[time][sample] - expected) < Self.steps * Self.tolerance, "t = \(t)")
      }
    }
    // At t = 0 there is no error.
    #expect(paths.states[0].values == Self.transform.inverse(base.values))
    #expect(paths.states[1] == paths.states[2] && paths.logDensities[1] == paths.logDensities[2])
  }

  /// At T, the density on a path equals the density of the sample: for every base, with a context, and with every
  /// transform.
  @Test(arguments: [
    BaseDistribution.standardNormal, .gaussian(mean: [0.4, -0.2], deviation: [0.7, 1.6]),
    .fullGaussian(mean: [0.4, -0.2], factor: [0.7, 0, 0.5, 1.2]), .uniform(low: [-1, 0], high: [2, 3]),
    .mixture(
      weights: [0.25, 0.75], means: StateMatrix(count: 2, dimension: 2, values: [1, 0, -0.5, 0.3]),
      deviations: StateMatrix(count: 2, dimension: 2, values: [0.6, 1, 0.9, 1.4])),
  ])
  func theyEndAsSamples(base: BaseDistribution) throws {
    let architecture = FieldArchitecture(hidden: [8], activation: .tanh, contextDimension: 2)
    let context = SampleMatrix(count: 4, dimension: 2, values: [1, 0, 0, 1, 0, 1, 1, 0])
    let marginals = LevelMarginals(levels: 2, probabilities: [0.25, 0.75, 0.5, 0.5])
    let transforms = [
      DataTransform(shift: [1, -2], scale: [0.5, 4]), .marginals(marginals),
      DataTransform(shift: [0, 1], scale: [1, 2], logit: LogitTransform(alpha: 0.05)),
    ]
    for transform in transforms {
      let flow = ContinuousFlow(
        dimension: 2, architecture: architecture, seed: 3, transform: transform, base: base,
        contextKind: .classes(probabilities: [0.5, 0.5]))
      let options = SolverOptions(control: .perSample(rtol: Self.tolerance, atol: Self.tolerance))
      let paths = try flow.logDensityPaths(count: 4, seed: 7, times: [0, 0.5, 1], options: options, context: context)
      let (samples, logDensities) = try flow.samplesWithLogDensities(
        count: 4, seed: 7, options: options, context: context)
      // Two solves to T err by the tolerance each. The transform's scale stretches x by 4 at most.
      for (path, sample) in zip(paths.states[2].values, samples.values) {
        #expect(abs(path - sample) < 2 * Self.steps * Self.tolerance * 4)
      }
      // With marginals, the density is that of the x rounded to Float. That changes z² by at most 2⁻²³ · 4, with z up
      // to 4.
      for (path, sample) in zip(paths.logDensities[2], logDensities) {
        #expect(abs(path - sample) < 10 * Self.steps * Self.tolerance, "\(transform)")
      }
      // The inverse starts from x in Float. By the logit, one ulp of x changes z by up to 1/(u (1 − u)) ulps, with u
      // above 1e-3.
      let back = try flow.logDensities(of: samples, options: options, context: context).values
      for (there, back) in zip(logDensities, back) { #expect(abs(there - back) < 1e-3, "\(transform)") }
      let plain = try flow.paths(count: 4, seed: 7, times: [0, 1], context: context)
      for (path, sample) in zip(plain[1].values, samples.values) { #expect(abs(path - sample) < 4 * 2e-4) }
    }
  }

  /// The number of fixed steps applies to each interval, however many output times there are.
  @Test func manyTimesWithFixedSteps() throws {
    let times = (0...40).map { 1.5 * Double($0) / 40 }
    let options = SolverOptions(method: "rk4", control: .fixed(steps: 200))
    let paths = try Self.linear.paths(count: 2, seed: 0, times: times, options: options)
    #expect(paths.count == 41)
    let base = SampleMatrix(Self.linear.baseSamples(count: 2, seed: 0)).values
    for (index, value) in paths[40].values.enumerated() {
      let growth = exp(1.5 * Double(Self.rates[index % 2]))
      let expected = Self.transform.shift[index % 2] + Self.transform.scale[index % 2] * growth * base[index]
      // 8,000 steps in Float, each rounded by half an ulp.
      #expect(abs(value - expected) < 8_000 * 0x1p-24 * max(1, abs(expected)))
    }
    #expect(try Self.linear.paths(count: 2, seed: 0, times: []).isEmpty)
  }
}
