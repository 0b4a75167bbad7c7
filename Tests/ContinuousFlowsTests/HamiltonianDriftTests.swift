import Foundation
import Testing

@testable import ContinuousFlows

/// A pendulum that is learned from noisy rates of change. A model of the energy keeps it over long times, and a plain
/// field does not. This is the table of Documentation/hamiltonian.md, at a small width.
@Suite struct HamiltonianDriftTests {
  /// H = 3 (1 − cos q) + p² with energies from 1.3 to 2.3. The rates have noise of deviation 0.1 (Greydanus et al.
  /// 2019, arXiv 1906.01563).
  private static func energy(_ q: Double, _ p: Double) -> Double { 3 * (1 - cos(q)) + p * p }

  private static func state(_ source: RandomSource, _ sample: UInt64) -> (q: Double, p: Double) {
    let energy = 1.3 + source.uniform(sample: sample, dimension: 0)
    let q = acos(1 - energy / 3) * sin(2 * .pi * source.uniform(sample: sample, dimension: 1))
    let p = max(0, energy - 3 * (1 - cos(q))).squareRoot()
    return (q, source.uniform(sample: sample, dimension: 2) < 0.5 ? p : -p)
  }

  private static let pendulum: Dataset = {
    let source = RandomSource(seed: 1, stream: .data)
    let rows = (0..<UInt64(2_000)).flatMap { sample -> [Double] in
      let (q, p) = state(source, sample)
      // The state takes the first blocks of a sample's random numbers.
      let noise = (0..<2).map { 0.1 * source.normal(sample: sample, dimension: 16 + $0) }
      return [q, p, 2 * p + noise[0], -3 * sin(q) + noise[1]]
    }
    return Dataset(name: "pendulum", samples: SampleMatrix(count: 2_000, dimension: 4, values: rows))
  }()

  private static let paths = 20
  private static let duration = 100.0

  /// The mean of |H(t) − H(0)| / H(0) over paths and over 50 times up to t = 100, where H is the pendulum's own energy.
  /// It is infinite if a path fails.
  private static func drift(_ program: FieldProgram, _ parameters: [Float], solver: SolverOptions) throws -> Double {
    let options = TrainingOptions(steps: 1_000, batchSize: 250, learningRate: 3e-3, averageDecay: 0.99)
    let model = DynamicsModel(program: program, parameters: parameters)
    let trained = try Trainer(
      model: model, objective: DerivativeRegression(model: model, options: options), training: pendulum,
      options: options
    ).run().model
    let source = RandomSource(seed: 99, stream: .data)
    let starts = (0..<UInt64(paths)).map { state(source, $0) }
    let times = (1...50).map { duration * Double($0) / 50 }
    let solution = try makeSolver(program: program, options: solver, scalar: Double.self).solve(
      SolveProblem(
        parameters: trained.parameters.map { Double($0) }, states: starts.flatMap { [$0.q, $0.p] }, from: 0,
        to: duration, outputTimes: times))
    guard solution.firstFailure == nil else { return .infinity }
    var sum = 0.0
    for (path, start) in starts.enumerated() {
      let before = energy(start.q, start.p)
      for time in times.indices {
        let place = 2 * (path * times.count + time)
        sum += abs(energy(solution.statesAtTimes[place], solution.statesAtTimes[place + 1]) / before - 1)
      }
    }
    return sum / Double(paths * times.count)
  }

  @Test func learnedEnergiesAreKept() throws {
    let plain = FieldProgram.multilayerPerceptron(
      stateDimension: 2, hidden: [32, 32], activation: .tanh, seesTime: false)
    let separable = HamiltonianArchitecture(hidden: [32, 32], isSeparable: true)
    let adaptive = SolverOptions(control: .perSample(rtol: 1e-6, atol: 1e-6), trace: .none)
    // Output times are 2 apart, with 40 steps between them: h = 0.05.
    let leapfrog = SolverOptions(method: "leapfrog", control: .fixed(steps: 40), trace: .none)
    let plainDrift = try Self.drift(plain, InitialParameters.uniform(for: plain, seed: 1), solver: adaptive)
    let energyDrift = try Self.drift(
      try separable.program(stateDimension: 2),
      separable.initialParameters(stateDimension: 2, seed: 1, lastLayerScale: 1), solver: leapfrog)
    // The measured drifts are 0.101 and 0.0043.
    #expect(plainDrift > 10 * energyDrift, "\(plainDrift), an energy \(energyDrift)")
    #expect(plainDrift.isFinite && energyDrift < 0.02)
  }
}
