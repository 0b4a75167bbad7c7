import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

/// Tests flows of several blocks. One block is a continuous flow; several are the composition of such flows. Their
/// gradient agrees with differences.
@Suite struct StackedFlowTests {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  private static let architecture = FieldArchitecture(hidden: [8], activation: .tanh)

  private func flow(_ blocks: Int, architecture: FieldArchitecture = architecture) -> StackedFlow {
    var flow = StackedFlow(
      dimension: 2, blocks: blocks, architecture: architecture, endTime: 0.5, seed: 7,
      transform: .standardising(TrainingFixture.split.train.samples))
    flow.parameters = DiscreteFixture.disturbed(flow.parameters, scale: 0.4)
    return flow
  }

  private func single(_ flow: StackedFlow) -> ContinuousFlow {
    ContinuousFlow(
      program: flow.programs[0], parameters: flow.parameters, endTime: flow.endTime, transform: flow.transform,
      base: flow.base)
  }

  private func trainer(
    _ flow: StackedFlow, steps: Int, backend: Backend = .c, threads: Int? = nil, folder: RunFolder? = nil,
    regularisation: Regularisation = .none
  ) throws -> Trainer<StackedFlow> {
    let options = TrainingFixture.options(
      steps: steps, backend: backend, threads: threads, regularisation: regularisation)
    return try Trainer(
      model: flow, objective: StackedLikelihood(model: flow, options: options), training: TrainingFixture.split.train,
      validation: TrainingFixture.split.validation, options: options, folder: folder)
  }

  @Test(arguments: Backend.allCases) func oneBlockIsAContinuousFlowToTheBit(backend: Backend) throws {
    var stacked = flow(1)
    for base in [BaseDistribution.standardNormal, DiscreteFixture.mixture] {
      stacked.base = base
      let plain = single(stacked)
      let points = TrainingFixture.split.test.samples
      let options = SolverOptions(trace: .hutchinson)
      #expect(
        try stacked.logDensities(of: points, options: options, backend: backend, seed: 3)
          == plain.logDensities(of: points, options: options, backend: backend, seed: 3))
      #expect(
        try stacked.samples(count: 9, seed: 2, backend: backend) == plain.samples(count: 9, seed: 2, backend: backend))
      #expect(
        try stacked.paths(count: 4, seed: 1, times: [0, 0.2, 0.5], backend: backend)
          == plain.paths(count: 4, seed: 1, times: [0, 0.2, 0.5], backend: backend))
      for regularisation in TrainingFixture.regularisations {
        let options = TrainingFixture.options(steps: 12, backend: backend, regularisation: regularisation)
        let reference = try Trainer(
          flow: plain, training: TrainingFixture.split.train, validation: TrainingFixture.split.validation,
          options: options)
        let found = try trainer(stacked, steps: 12, backend: backend, regularisation: regularisation)
        var (losses, expected) = ([Double](), [Double]())
        func loss(_ event: TrainingEvent) -> Double? { if case .step(let step) = event { step.loss } else { nil } }
        _ = try found.run(observer: { losses += loss($0).map { [$0] } ?? [] })
        _ = try reference.run(observer: { expected += loss($0).map { [$0] } ?? [] })
        #expect(losses == expected && losses.count == 12)
        #expect(found.state.model.parameters == reference.state.model.parameters)
        #expect(found.state.best == reference.state.best)
      }
    }
    let untrained = StackedFlow(dimension: 2, blocks: 1, architecture: Self.architecture, seed: 3)
    #expect(untrained.parameters == ContinuousFlow(dimension: 2, hidden: [8], seed: 3).parameters)
  }

  /// Solves block after block by hand.
  @Test func blocksAreComposed() throws {
    let stacked = flow(3)
    let points = TrainingFixture.split.test.samples
    let found = try stacked.logDensities(of: points)
    var (states, sums) = (stacked.transform.forward(points.values), stacked.transform.logDeterminants(points.values))
    var evaluations = [Int](repeating: 0, count: points.count)
    let size = stacked.programs[0].parameterCount
    for block in [2, 1, 0] {
      let solver = try KernelSolver<Float>(program: stacked.programs[block])
      let solution = try solver.solve(
        SolveProblem(
          parameters: Array(stacked.parameters[block * size..<(block + 1) * size]), states: states, from: 0.5, to: 0))
      states = solution.states
      for sample in sums.indices { sums[sample] += solution.logDeterminants[sample] }
      for sample in sums.indices { evaluations[sample] += solution.evaluations[sample] }
    }
    for sample in sums.indices {
      let expected = sums[sample] + BaseDistribution.standardNormal.logDensity(states[2 * sample..<2 * sample + 2])
      // Both add the same terms, in different orders.
      #expect(abs(found.values[sample] - expected) < 8 * Double.ulpOfOne * max(1, abs(expected)))
    }
    #expect(found.evaluations == evaluations)
    #expect(Set(stacked.programs.indices.map { Array(stacked.parameters[$0 * size..<($0 + 1) * size]) }).count == 3)
  }

  @Test func samplesKnowTheirDensity() throws {
    let stacked = flow(3)
    let options = SolverOptions(control: .perSample(rtol: 1e-6, atol: 1e-6))
    let drawn = try stacked.samples(count: 30, seed: 5, options: options)
    let back = try StackedSolver<Float>(of: stacked, options: options, backend: .c).solveToBase(
      .init(parameters: stacked.parameters, states: stacked.transform.forward(drawn.values)))
    let base = stacked.base.samples(count: 30, dimension: 2, seed: 5)
    // The bound covers six solves of a few steps, each within 1e-6.
    for (found, expected) in zip(back.states, base.values) { #expect(abs(found - expected) < 2e-4) }
    let paths = try stacked.paths(count: 30, seed: 5, times: [0, 0.5, 0.7, 1.5], options: options)
    #expect(paths[0].values == stacked.transform.inverse(base.values))
    for (found, expected) in zip(paths[3].values, drawn.values) { #expect(abs(found - expected) < 2e-4) }
  }

  /// Tests gradients in Double, with a trace by fixed probes, every base, regularisers and dropout.
  @Test(arguments: Backend.allCases, [Regularisation.none, Regularisation(kineticEnergy: 0.3, frobeniusNorm: 0.2)])
  func gradientsAreThoseOfDifferences(backend: Backend, regularisation: Regularisation) throws {
    var architecture = Self.architecture
    architecture.dropout = 0.2
    var stacked = flow(3, architecture: architecture)
    for base in [BaseDistribution.standardNormal, DiscreteFixture.mixture] {
      stacked.base = base
      let solver = try StackedSolver<Double>(
        of: stacked,
        options: SolverOptions(
          method: "rk4", control: .fixed(steps: 4), trace: .hutchinson,
          integratesKineticEnergy: regularisation != .none, integratesFrobeniusNorm: regularisation != .none),
        backend: backend)
      let call = StackedSolver<Double>.Call(
        parameters: stacked.parameters.map { Double($0) }, states: DiscreteFixture.states(count: 3, dimension: 2),
        seed: 4,
        step: 2, dropoutIsActive: true)
      func gradient(_ call: StackedSolver<Double>.Call) throws -> StackedGradient<Double> {
        try solver.likelihoodGradient(call, base: base, scale: 0.5, regularisation: regularisation) { _ in }
      }
      /// Computes the loss from solves alone, without cotangents.
      func loss(_ call: StackedSolver<Double>.Call) throws -> Double {
        let solution = try solver.solveToBase(call)
        return (0..<3).reduce(0.0) { sum, sample in
          let logDensity =
            base.logDensity(solution.states[2 * sample..<2 * sample + 2]) + solution.logDeterminants[sample]
          let penalty =
            regularisation == .none
            ? 0
            : regularisation.kineticEnergy * solution.kineticEnergies[sample]
              + regularisation.frobeniusNorm * solution.frobeniusNorms[sample]
          return sum + 0.5 * (penalty - logDensity)
        }
      }
      let found = try gradient(call)
      let total = try loss(call)
      #expect(abs(found.losses.reduce(0, +) - total) < 100 * Double.ulpOfOne * max(1, abs(total)))
      func check(_ name: String, _ derivatives: [Double], _ path: WritableKeyPath<StackedSolver<Double>.Call, [Double]>)
        throws
      {
        for index in stride(from: 0, to: derivatives.count, by: max(1, derivatives.count / 40)) {
          let h = 1e-5
          var (less, more) = (call, call)
          less[keyPath: path][index] -= h
          more[keyPath: path][index] += h
          let difference = (try loss(more) - loss(less)) / (2 * h)
          // The bound is as in DiscreteFlowTests.
          #expect(
            abs(derivatives[index] - difference) < 1e-7 * max(1, abs(difference)),
            "\(backend), \(base.kind), \(name) \(index): \(derivatives[index]), differences \(difference)")
        }
      }
      try check("parameter", found.parameters, \.parameters)
      try check("state", found.states, \.states)
    }
  }

  @Test(arguments: TrainingFixture.regularisations) func threadsAndResumptionDoNotMatter(regularisation: Regularisation)
    throws
  {
    let stacked = flow(2)
    let (one, three) = (
      try trainer(stacked, steps: 12, threads: 1, regularisation: regularisation),
      try trainer(stacked, steps: 12, threads: 3, regularisation: regularisation)
    )
    _ = try one.run()
    _ = try three.run()
    #expect(one.state.withoutClock == three.state.withoutClock)
    let folder = try RunFolder.create(at: temporary.file("run"))
    let first = try trainer(stacked, steps: 12, folder: folder, regularisation: regularisation)
    _ = try first.run(shouldStop: { first.state.step == 5 })
    let options = TrainingFixture.options(steps: 12, backend: .c, regularisation: regularisation)
    let resumed = try Trainer(
      state: TrainingState<StackedFlow>(contentsOf: folder.checkpointPath),
      objective: StackedLikelihood(model: stacked, options: options), training: TrainingFixture.split.train,
      validation: TrainingFixture.split.validation, options: options, folder: folder)
    _ = try resumed.run()
    #expect(resumed.state.withoutClock == one.state.withoutClock)
  }

  @Test func samplesAreTheirOwn() throws {
    let stacked = flow(2)
    let points = TrainingFixture.split.train.samples
    let values = try stacked.logDensities(of: points, options: SolverOptions(threads: 1)).values
    for rows in [[0], [5, 33, 2], Array((0..<40).reversed())] {
      for threads in [1, 3] {
        let found = try stacked.logDensities(of: points.rows(rows), options: SolverOptions(threads: threads)).values
        #expect(found == rows.map { values[$0] })
      }
    }
  }

  /// A sample that fails in a later block keeps its status and its time, counted over all blocks.
  @Test func failuresAreNamed() throws {
    let stacked = flow(2)
    let densities = try stacked.logDensities(
      of: TrainingFixture.split.test.samples,
      options: SolverOptions(control: .perSample(rtol: 1e-7, atol: 1e-9), maximumSteps: 1))
    #expect(densities.failed == 40 && densities.values.allSatisfy { $0.isNaN })
    #expect(densities.statuses.allSatisfy { $0 == .maximumSteps })
    // The sample fails in block 1, which is the first block on the way to the base.
    #expect(densities.timesReached.allSatisfy { $0 > 0.5 && $0 <= 1 })
    var options = TrainingFixture.options(steps: 2, backend: .c)
    options.solver = SolverOptions(control: .perSample(rtol: 1e-7, atol: 1e-9), maximumSteps: 1)
    let trainer = try Trainer(
      model: stacked, objective: StackedLikelihood(model: stacked, options: options),
      training: TrainingFixture.split.train,
      options: options)
    #expect(throws: TrainingError.self) { try trainer.run() }
    #expect(trainer.state.step == 0)
  }

  @Test func filesComeBackTheSame() throws {
    let path = temporary.file("stacked.safetensors")
    let stacked = flow(2)
    try stacked.write(to: path)
    #expect(try StackedFlow(contentsOf: path) == stacked)
    #expect(
      stacked.parameterNames.entries.map(\.name) == [
        "blocks.0.net.0.weight", "blocks.0.net.0.bias", "blocks.0.net.2.weight", "blocks.0.net.2.bias",
        "blocks.1.net.0.weight", "blocks.1.net.0.bias", "blocks.1.net.2.weight", "blocks.1.net.2.bias",
      ])
    for (key, value) in [
      ("blocks", "0"), ("blocks", "3"), ("blocks", "9999999"), ("program.1", "linear 0 3 tanh"), ("end_time", "0"),
      ("swift_cnf.version", "3"), ("swift_cnf.model", "coupling"), ("dimension", "3"),
    ] {
      var file = try SafetensorsFile(path: path)
      file.metadata[key] = value
      try file.write(to: path)
      #expect(throws: (any Error).self, "\(key)") { try StackedFlow(contentsOf: path) }
      try stacked.write(to: path)
    }
  }

  @Test func whatCannotBeTrainedIsRefused() {
    var options = TrainingFixture.options(steps: 5, backend: .c)
    var uniform = flow(2)
    uniform.base = .uniform(low: [-1, -1], high: [1, 1])
    #expect(throws: TrainingError.self) { try StackedLikelihood(model: uniform, options: options) }
    options.endTimeJitter = 0.1
    #expect(throws: TrainingError.self) { try StackedLikelihood(model: flow(2), options: options) }
    options.endTimeJitter = 0
    options.solver.trace = .none
    #expect(throws: TrainingError.self) { try StackedLikelihood(model: flow(2), options: options) }
  }
}
