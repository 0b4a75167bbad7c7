import Foundation
import Testing

@testable import ContinuousFlows

/// Tests losses that the caller defines. They are compared with maximum likelihood written as such a loss and with
/// central differences in Double. Their bits are compared too.
@Suite struct StateLossTests {
  /// A power of two, by which division is exact. So equal sums have equal bits.
  private static let count = 32

  private static func batch(step: Int = 0) -> TrainingBatch {
    var batches = TrainingBatches(
      TrainingFixture.split.train, transform: TrainingFixture.flow.transform, size: count, seed: 11)
    return batches.batch(step: step)
  }

  private static func flow(base: BaseDistribution = .standardNormal) -> ContinuousFlow {
    var flow = TrainingFixture.flow
    for index in flow.parameters.indices { flow.parameters[index] *= 3 }
    flow.base = base
    return flow
  }

  // MARK: - Maximum likelihood as a closure

  /// The loss −(log p₀(z) + log-determinant) with a base whose likelihood the solver does not know. It has the same
  /// bits as `MaximumLikelihood`, with regularisers too.
  @Test(arguments: Backend.allCases, TrainingFixture.regularisations)
  func maximumLikelihoodIsSuchALoss(backend: Backend, regularisation: Regularisation) throws {
    let base = BaseDistribution.gaussian(mean: [0.2, -0.1], deviation: [1.3, 0.7])
    try Self.expectLikelihood(
      Self.flow(base: base), TrainingFixture.options(steps: 1, backend: backend, regularisation: regularisation))
  }

  /// For a flow whose log-determinant is 0, no solve integrates it, and the loss may still read it.
  @Test(arguments: Backend.allCases) func volumesThatAreKeptAreLogDeterminants(backend: Backend) throws {
    let base = BaseDistribution.gaussian(mean: [0.2, -0.1], deviation: [1.3, 0.7])
    let flow = try ContinuousFlow(
      dimension: 2, hamiltonian: HamiltonianArchitecture(hidden: [6]), endTime: 0.5, seed: 7,
      transform: TrainingFixture.flow.transform, base: base)
    try Self.expectLikelihood(flow, TrainingFixture.options(steps: 1, backend: backend))
  }

  private static func expectLikelihood(_ flow: ContinuousFlow, _ options: TrainingOptions) throws {
    let base = flow.base
    let objective = try StateLoss(flow: flow, from: .data, options: options) { solved, _ in
      var cotangents = SampleCotangents(for: solved)
      for sample in 0..<solved.count {
        var score: [Double]? = []
        let logDensity = base.logDensity(solved.states[2 * sample..<2 * sample + 2], score: &score)
        cotangents.losses[sample] = -(logDensity + solved.logDeterminants[sample])
        cotangents.logDeterminants[sample] = -1
        for (column, slope) in (score ?? []).enumerated() { cotangents.states[2 * sample + column] = Float(-slope) }
      }
      return cotangents
    }
    let likelihood = try MaximumLikelihood(flow: flow, options: options)
    for step in 0..<2 {
      let batch = batch(step: step)
      let (found, expected) = (
        try objective.gradient(of: batch, model: flow), try likelihood.gradient(of: batch, model: flow)
      )
      #expect(found.parameters == expected.parameters)
      #expect(found.loss == expected.loss && found.endTime == expected.endTime)
      #expect(found.kineticEnergy == expected.kineticEnergy && found.frobeniusNorm == expected.frobeniusNorm)
      #expect(found.evaluationsMean == expected.evaluationsMean && found.nllNats == nil)
      #expect(found.parameters.contains { $0 != 0 })
    }
    // In validation, the likelihood is in the space of the data and the loss in that of the flow. The determinant of
    // the transform converts one to the other.
    let set = TrainingFixture.split.validation
    let shift = try #require(flow.transform.logDeterminants(set.samples.values).first)
    let (loss, nll) = (
      try objective.evaluate(flow, on: set, seed: 3), try likelihood.evaluate(flow, on: set, seed: 3)
    )
    // Sums in Double of 40 numbers of size 1.
    #expect(abs(loss.nllNats - shift - nll.nllNats) < 1e-12)
    #expect(loss.count == 40 && loss.failed == 0 && loss.evaluationsMean == nll.evaluationsMean)
  }

  // MARK: - Central differences

  /// A loss of everything that a closure receives, for either scalar type: ½ |x − a|² + 0.1 x₀³ x₁ + 0.3 ℓ², where a
  /// depends on the sample's row.
  private static func cotangents<Scalar: FlowScalar>(_ solved: SolvedSamples<Scalar>, rows: [Int]) -> SampleCotangents<
    Scalar
  > {
    var cotangents = SampleCotangents(for: solved)
    for sample in 0..<solved.count {
      let target = 0.1 * Double(rows[solved.first + sample] % 7)
      let (x, y) = (Double(solved.states[2 * sample]), Double(solved.states[2 * sample + 1]))
      let logDeterminant = solved.logDeterminants[sample]
      cotangents.losses[sample] =
        0.5 * ((x - target) * (x - target) + (y - target) * (y - target)) + 0.1 * x * x * x * y
        + 0.3 * logDeterminant * logDeterminant
      cotangents.states[2 * sample] = Scalar(x - target + 0.3 * x * x * y)
      cotangents.states[2 * sample + 1] = Scalar(y - target + 0.1 * x * x * x)
      cotangents.logDeterminants[sample] = 0.6 * logDeterminant
    }
    return cotangents
  }

  /// Solves in eight equal steps, so that a shifted parameter takes the same steps. Differences in Double with h = 1e-4
  /// err by h² and 1e-16/h, far less than the rounding of the gradient in Float. That is about 8 · 4 evaluations of
  /// sums of 8 terms: 2⁻²⁴ · √(32 · 8) ≈ 1e-6 of the largest component. The cubes of the loss stretch it by up to ten.
  @Test(arguments: [StateLoss.Origin.base, .data], Backend.allCases)
  func gradientsAreThoseOfDifferences(origin: StateLoss.Origin, backend: Backend) throws {
    let (flow, batch) = (Self.flow(), Self.batch(step: 3))
    let solver = SolverOptions(method: "rk4", control: .fixed(steps: 8), trace: .exactTangents)
    let options = TrainingOptions(steps: 1, seed: 11, solver: solver, backend: backend)
    let objective = try StateLoss(flow: flow, from: origin, options: options) { Self.cotangents($0, rows: $1.rows) }
    let gradient = try objective.gradient(of: batch, model: flow)

    let starts =
      origin == .data
      ? batch.states
      : flow.base.samples(count: Self.count, dimension: 2, seed: 11, step: 3, identifiers: batch.identifiers).values
    let double = try makeSolver(program: flow.program, options: solver, backend: backend, scalar: Double.self)
    func loss(_ parameters: [Double], endTime: Double) throws -> Double {
      let solution = try double.solve(
        SolveProblem(
          parameters: parameters, states: starts.map { Double($0) }, from: origin == .base ? 0 : endTime,
          to: origin == .base ? endTime : 0))
      let solved = SolvedSamples(
        first: 0, states: solution.states, logDeterminants: solution.logDeterminants, statuses: solution.statuses)
      return Self.cotangents(solved, rows: batch.rows).losses.reduce(0, +) / Double(Self.count)
    }
    let step = 1e-4
    let parameters = flow.parameters.map { Double($0) }
    let differences = try parameters.indices.map { index -> Double in
      var (up, down) = (parameters, parameters)
      up[index] += step
      down[index] -= step
      return try (loss(up, endTime: flow.endTime) - loss(down, endTime: flow.endTime)) / (2 * step)
    }
    let largest = differences.map(abs).max() ?? 0
    let tolerance = 1e-5 * largest
    let worst = zip(gradient.parameters, differences).map { abs(Double($0) - $1) }.max() ?? .infinity
    #expect(worst < tolerance && largest > 0.1, "off by \(worst) of \(largest)")
    let byTime =
      try (loss(parameters, endTime: flow.endTime + step) - loss(parameters, endTime: flow.endTime - step))
      / (2 * step)
    #expect(abs((gradient.endTime ?? 0) - byTime) < 1e-5 * max(1, abs(byTime)))
    #expect(abs(gradient.loss - (try loss(parameters, endTime: flow.endTime))) < 1e-5 * max(1, gradient.loss))
  }

  // MARK: - Bits

  /// The bits are the same at any number of threads, with adaptive steps and samples of the base. Every training step
  /// draws new samples.
  @Test func bitsDoNotDependOnThreads() throws {
    let (flow, batch) = (Self.flow(), Self.batch())
    func gradient(_ threads: Int, _ batch: TrainingBatch) throws -> BatchGradient {
      let options = TrainingFixture.options(steps: 1, backend: .c, threads: threads)
      return try StateLoss(flow: flow, from: .base, options: options) { Self.cotangents($0, rows: $1.rows) }
        .gradient(of: batch, model: flow)
    }
    let (one, three) = (try gradient(1, batch), try gradient(3, batch))
    #expect(one.parameters == three.parameters && one.loss == three.loss)
    var later = TrainingBatch(
      states: batch.states, logDeterminants: batch.logDeterminants, identifiers: batch.identifiers, rows: batch.rows,
      seed: batch.seed, step: batch.step + 1)
    #expect(try gradient(1, later).loss != one.loss)
    // If a solve starts from the base, the samples of the batch do not matter.
    later = batch
    for index in later.states.indices { later.states[index] += 1 }
    #expect(try gradient(1, later).parameters == one.parameters)
  }

  /// The loss is ½ |x − a|² with a = (2, −1), and the field begins near 0. Training can move samples close to a, so the
  /// loss falls from ½ E|z − a|² = ½ (2 + |a|²) = 3.5 to nearly 0. It needs no log-determinant.
  @Test func particlesAreSteered() throws {
    let target: [Float] = [2, -1]
    let flow = ContinuousFlow(dimension: 2, hidden: [16], activation: .tanh, seed: 3)
    let options = TrainingOptions(
      steps: 150, batchSize: 64, learningRate: 2e-2, averageDecay: nil,
      solver: SolverOptions(method: "rk4", control: .fixed(steps: 4), trace: .none),
      evaluationSolver: SolverOptions(trace: .none))
    let objective = try StateLoss(flow: flow, from: .base, options: options) { solved, _ in
      var cotangents = SampleCotangents(for: solved)
      for place in cotangents.states.indices {
        cotangents.states[place] = solved.states[place] - target[place % 2]
        cotangents.losses[place / 2] += 0.5 * Double(cotangents.states[place] * cotangents.states[place])
      }
      return cotangents
    }
    let set = TrainingFixture.split.train
    let before = try objective.evaluate(flow, on: set, seed: 1).nllNats
    let trained = try Trainer(model: flow, objective: objective, training: set, options: options).run().model
    let after = try objective.evaluate(trained, on: set, seed: 1).nllNats
    // Five standard errors of 120 samples, where |z − a|² has the variance 2 (2 + 2 |a|²) = 24, and the effect of the
    // first field.
    #expect(abs(before - 3.5) < 5 * (6.0 / 120).squareRoot() + 0.2)
    #expect(after < 0.05 * before, "\(before), then \(after)")
  }

  // MARK: - Refusals

  @Test func shapesThatDoNotFitAreNamed() {
    let solved = SolvedSamples<Float>(
      first: 0, states: [1, 2, 3, 4], logDeterminants: [0, 0], statuses: [.ok, .ok])
    var cotangents = SampleCotangents(for: solved)
    #expect(cotangents.shapeProblem(of: solved) == nil)
    cotangents.states = [1, 2, 3]
    #expect(
      cotangents.shapeProblem(of: solved)
        == "a loss function returned 2 losses, 3 state cotangents and 2 log-determinant cotangents for 2 samples "
        + "with 4 state numbers in all")
    cotangents = SampleCotangents(for: solved)
    cotangents.losses.append(0)
    #expect(cotangents.shapeProblem(of: solved)?.contains("3 losses") == true)
    cotangents = SampleCotangents(for: solved)
    cotangents.logDeterminants = []
    #expect(cotangents.shapeProblem(of: solved)?.contains("0 log-determinant") == true)
  }

  /// A closure that returns the wrong number of values ends the process, before it can write outside an array.
  @Test func shapesThatDoNotFitEndTheProgram() async {
    await #expect(processExitsWith: .failure) {
      let flow = ContinuousFlow(dimension: 2, hidden: [4], activation: .tanh)
      let objective = try StateLoss(flow: flow, from: .base, options: TrainingOptions(steps: 1)) { solved, _ in
        var cotangents = SampleCotangents(for: solved)
        cotangents.states.removeLast()
        return cotangents
      }
      let set = Dataset(name: "one", samples: SampleMatrix(count: 1, dimension: 2, values: [0, 0]))
      _ = try Trainer(model: flow, objective: objective, training: set, options: TrainingOptions(steps: 1)).run()
    }
  }

  @Test func whatCannotBeMeantIsRefused() {
    let flow = TrainingFixture.flow
    var options = TrainingFixture.options(steps: 1, backend: .c)
    options.endTimeJitter = 0.1
    #expect(throws: TrainingError.self) {
      try StateLoss(flow: flow, from: .data, options: options) { solved, _ in SampleCotangents(for: solved) }
    }
    options.endTimeJitter = 0
    options.regularisation = Regularisation(frobeniusNorm: 0.1)
    options.solver.trace = .none
    #expect(throws: (any Error).self) {
      try StateLoss(flow: flow, from: .data, options: options) { solved, _ in SampleCotangents(for: solved) }
    }
  }
}
