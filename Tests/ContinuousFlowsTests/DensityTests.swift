import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct DensityTests {
  /// A conditional flow reports the density of its samples for the same context. Another context gives other densities.
  @Test func conditionalFlowsAgreeWithThemselves() throws {
    let architecture = FieldArchitecture(
      hidden: [16], activation: .tanh, layer: .concatsquash, contextDimension: 2)
    let program = architecture.program(stateDimension: 2)
    let flow = ContinuousFlow(program: program, parameters: InitialParameters.uniform(for: program, seed: 5))
    let context = SampleMatrix(count: 3, dimension: 2, values: [1, 0, 0, 1, -1, 2])
    let (samples, expected) = try flow.samplesWithLogDensities(count: 3, seed: 2, context: context)
    let found = try flow.logDensities(of: samples, context: context).values
    // Two solves with tolerance 1e-5, of a flow that stretches by less than ten.
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-3 })
    let other = SampleMatrix(count: 3, dimension: 2, values: [0, 1, 1, 0, 2, -1])
    #expect(zip(try flow.logDensities(of: samples, context: other).values, found).allSatisfy { abs($0 - $1) > 1e-3 })
  }

  private let tolerance = 1e-6
  /// The number of dopri5 steps of these short solves, rounded up. Each step may err by the tolerance.
  private static let steps = 10.0
  /// For `dx/dt = diag(a) x`, x(T) = e^{aT} z. So the model is a Gaussian of standard deviations e^{aT}.
  private let rates: [Float] = [0.75, -0.5]
  private let endTime = 1.5
  private var linear: ContinuousFlow {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    return ContinuousFlow(
      program: program, parameters: [rates[0], 0, 0, rates[1], 0, 0], endTime: endTime,
      transform: DataTransform(shift: [1, -2], scale: [0.5, 4]))
  }
  private let points = SampleMatrix(count: 4, dimension: 2, values: [1, -2, 0.3, 1, 2.5, -7, -0.4, 3])

  /// The log-density by the closed form.
  private func expected(_ sample: Int) -> Double {
    (0..<2).reduce(0) { sum, index in
      let scale = Double(linear.transform.scale[index])
      let deviation = scale * exp(Double(rates[index]) * endTime)
      let difference = Double(points[sample][sample * 2 + index]) - Double(linear.transform.shift[index])
      return sum - 0.5 * (difference / deviation) * (difference / deviation) - log(deviation) - 0.5 * log(2 * .pi)
    }
  }

  @Test(arguments: Backend.allCases)
  func aLinearFlowIsAGaussian(backend: Backend) throws {
    let densities = try linear.logDensities(
      of: points, options: SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance)), backend: backend)
    #expect(densities.failed == 0)
    for sample in 0..<points.count {
      // The measured error is 1.7e-6, which is 0.2 in this unit.
      #expect(abs(densities.values[sample] - expected(sample)) < Self.steps * tolerance, "sample \(sample)")
    }
  }

  @Test(arguments: Backend.allCases)
  func aSampleThatFailsHasNaNAndIsCounted(backend: Backend) throws {
    let options = SolverOptions(control: .perSample(rtol: 1e-7, atol: 1e-9), maximumSteps: 1)
    let densities = try linear.logDensities(of: points, options: options, backend: backend)
    #expect(densities.failed == 4)
    #expect(densities.values.allSatisfy { $0.isNaN })
    let result = EvaluationResult(densities, dimension: 2)
    #expect(result.failed == 4 && result.count == 4 && result.nllNats.isNaN)
    #expect(throws: SolveFailure.self) {
      try linear.samples(count: 3, seed: 0, options: options, backend: backend)
    }
  }

  @Test(arguments: Backend.allCases)
  func samplesKnowTheirDensity(backend: Backend) throws {
    let options = SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance))
    let flow = ContinuousFlow(dimension: 3, hidden: [8, 8], activation: .softplus, endTime: 0.5, seed: 2)
    let (samples, logDensities) = try flow.samplesWithLogDensities(
      count: 20, seed: 3, options: options, backend: backend)
    let back = try flow.logDensities(of: samples, options: options, backend: backend).values
    // A solve forward and back. The measured error is 0.7e-6.
    for (forward, backward) in zip(logDensities, back) {
      #expect(abs(forward - backward) < 2 * Self.steps * tolerance)
    }
  }

  /// Identifiers select the probes, so rows have the same estimates alone as in the whole set.
  @Test(arguments: Backend.allCases)
  func estimatesAreKeyedByIdentifiers(backend: Backend) throws {
    let flow = ContinuousFlow(dimension: 2, hidden: [8], seed: 2)
    let whole = GeneratedDataset.pinwheel.dataset(count: 20, seed: 0)
    let rows = [17, 3, 11]
    let options = SolverOptions(trace: .hutchinson)
    func densities(_ dataset: Dataset, _ identifiers: [UInt64]?) throws -> [Double] {
      try flow.logDensities(of: dataset.samples, options: options, backend: backend, identifiers: identifiers).values
    }
    let all = try densities(whole, nil)
    let part = whole.rows(rows)
    #expect(try densities(part, part.identifiers) == rows.map { all[$0] })
    #expect(try densities(part, nil) != rows.map { all[$0] })
    let mean = try flow.evaluate(on: part, options: options, backend: backend).nllNats
    #expect(mean == -rows.reduce(0) { $0 + all[$1] } / 3)
  }

  @Test(arguments: Backend.allCases)
  func samplesDependOnTheirNumberAlone(backend: Backend) throws {
    let few = try linear.samples(count: 5, seed: 9, backend: backend)
    let many = try linear.samples(count: 50, seed: 9, backend: backend)
    #expect(few.values == Array(many.values.prefix(10)))
    #expect(try linear.samples(count: 5, seed: 10, backend: backend) != few)
  }

  @Test(arguments: Backend.allCases)
  func pathsLeadFromBaseToSamples(backend: Backend) throws {
    let options = SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance), trace: .none)
    let paths = try linear.paths(
      count: 6, seed: 1, times: [0, 0.5, 1, 1.5], options: options, backend: backend)
    let base = linear.baseSamples(count: 6, seed: 1)
    #expect(paths.count == 4)
    #expect(paths[0].values == linear.transform.inverse(base.values))
    let samples = try linear.samples(count: 6, seed: 1, options: options, backend: backend)
    // The errors of two solves; the transform stretches distances between states up to four times.
    let bound = 2 * Self.steps * tolerance * 4
    for (path, sample) in zip(paths[3].values, samples.values) { #expect(abs(path - sample) < bound) }
  }

  @Test func baseSamplesAreNormal() {
    let flow = ContinuousFlow(dimension: 3, hidden: [4])
    let count = 4_000
    let base = flow.baseSamples(count: count, seed: 0)
    let source = RandomSource(seed: 0, stream: .base)
    #expect(base[7].map { $0 } == (0..<3).map { Float(source.normal(sample: 7, dimension: $0)) })
    let mean = base.values.reduce(0) { $0 + Double($1) } / Double(3 * count)
    let square = base.values.reduce(0) { $0 + Double($1) * Double($1) } / Double(3 * count)
    // Five standard errors of 12,000 numbers.
    #expect(abs(mean) < 5 / Double(3 * count).squareRoot())
    #expect(abs(square - 1) < 5 * (2 / Double(3 * count)).squareRoot())
  }

  @Test func evaluationSumsUp() {
    let densities = LogDensities(
      values: [-1, .nan, -2, -3], statuses: [.ok, .notFinite, .ok, .ok], timesReached: [0, 0.2, 0, 0],
      evaluations: [10, 40, 20, 30])
    let result = EvaluationResult(densities, dimension: 2)
    #expect(result.count == 4 && result.failed == 1)
    #expect(result.nllNats == 2)
    #expect(abs(result.nllStandardError - (1.0 / 3).squareRoot()) < 1e-15)
    #expect(abs(result.bitsPerDimension - 1 / log(2)) < 1e-15)
    #expect(result.evaluationsMean == 25 && result.evaluationsMaximum == 40)
  }
}
