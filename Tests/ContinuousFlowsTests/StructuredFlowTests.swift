import Foundation
import Testing

@testable import ContinuousFlows

/// Tests Hamiltonian flows, which need no divergence, and OT-Flow, whose costs are part of its gradient.
@Suite struct StructuredFlowTests {
  private static func hamiltonian() throws -> ContinuousFlow {
    var flow = try ContinuousFlow(
      dimension: 2, hamiltonian: HamiltonianArchitecture(hidden: [8, 8], seesTime: true), seed: 3,
      transform: .standardising(TrainingFixture.split.train.samples))
    // The flow is away from the identity; near it, even a wrong log-determinant would be near 0.
    flow.parameters = flow.parameters.map { 2 * $0 }
    return flow
  }

  private static func options(_ trainOptions: TrainingOptions) -> TrainingOptions {
    var options = trainOptions
    options.solver = SolverOptions(
      method: "rk4", control: .fixed(steps: 4), trace: .exact, threads: trainOptions.solver.threads)
    return options
  }

  // MARK: Hamiltonian flows

  /// A density is, to the bit, that of the base at the start of the path. No tangent is computed: the solve does not
  /// ask for a trace that would be refused.
  @Test(arguments: [Trace.exact, .exactTangents, .hutchinson, .exactProduct])
  func logDeterminantIsZero(trace: Trace) throws {
    let flow = try Self.hamiltonian()
    let points = TrainingFixture.split.test.samples
    let options = SolverOptions(trace: trace)
    let found = try flow.logDensities(of: points, options: options)
    let solver = try makeSolver(program: flow.program, options: SolverOptions(trace: .none), scalar: Float.self)
    let solution = try solver.solve(
      SolveProblem(parameters: flow.parameters, states: flow.latentStates(of: points), from: flow.endTime, to: 0))
    let transformed = flow.transform.logDeterminants(points.values)
    let expected = found.values.indices.map {
      flow.baseLogDensity(solution.states, $0) + transformed[$0]
    }
    #expect(found.values == expected)
    #expect(try flow.evaluate(on: TrainingFixture.split.test, options: options).nllNats.isFinite)
    let drawn = try flow.samplesWithLogDensities(count: 5, seed: 1, options: options)
    let base = flow.baseSamples(count: 5, seed: 1)
    let scale = flow.transform.logDeterminants(drawn.samples.values)
    #expect(drawn.logDensities == (0..<5).map { flow.baseLogDensity(base.values, $0) + scale[$0] })
  }

  /// The divergence, which no solve computes, is 0 up to rounding: by tangents in float, about a hundred roundings of
  /// 6e-8.
  @Test func divergenceWouldBeZero() throws {
    let flow = try Self.hamiltonian()
    let options = SolverOptions(trace: .exactTangents)
    let solver = try makeSolver(program: flow.program, options: options, scalar: Float.self)
    let solution = try solver.solve(
      SolveProblem(parameters: flow.parameters, states: flow.baseSamples(count: 20, seed: 2).values, from: 0, to: 1))
    #expect(solution.logDeterminants.allSatisfy { abs($0) < 100 * 6e-8 })
  }

  @Test func hamiltonianFlowsAreTrained() throws {
    let flow = try Self.hamiltonian()
    let training = TrainingFixture.split.train
    func train(_ threads: Int) throws -> HamiltonianFlow {
      var options = TrainingFixture.options(steps: 200, backend: .c, threads: threads)
      options.clipNorm = nil
      let objective = StructuredObjective<HamiltonianFlow>(try MaximumLikelihood(flow: flow, options: options))
      return try Trainer(
        model: HamiltonianFlow(flow), objective: objective, training: training, options: options
      ).run().model
    }
    let trained = try train(1)
    #expect(try train(3) == trained)
    let (before, after) = (try flow.evaluate(on: training).nllNats, try trained.evaluate(on: training).nllNats)
    #expect(after < before - 0.02, "\(before), then \(after)")
  }

  // MARK: OT-Flow

  /// Here both costs weigh as much as the likelihood. Compares with differences of fourth order along directions, with
  /// rounding of 1e-10 of the loss. Steps are short because the magnitude has kinks: a difference across a kink is the
  /// derivative of neither side.
  @Test func transportGradientIsThatOfDifferences() throws {
    let architecture = TransportArchitecture(width: 7, layers: 3, transportScale: 0.9)
    let dimension = 3
    let flow = try ContinuousFlow(dimension: dimension, transport: architecture, seed: 4)
    let objective = try TransportLikelihood(
      flow: flow, architecture: architecture, transport: 0.7, hamiltonJacobi: 1.3,
      options: Self.options(TrainingFixture.options(steps: 1, backend: .c)))
    let program = try architecture.costProgram(stateDimension: dimension)
    let solver = try makeSolver(
      program: program, options: SolverOptions(method: "rk4", control: .fixed(steps: 4), trace: .exact),
      scalar: Double.self)
    let count = 11
    let source = RandomSource(seed: 6, stream: .data, step: 3)
    func normals(_ count: Int, _ sample: UInt64) -> [Double] {
      (0..<count).map { source.normal(sample: sample, dimension: $0) }
    }
    var problem = SolveProblem<Double>(
      parameters: flow.parameters.map { 2 * Double($0) },
      states: TransportLikelihood.withCostRows(normals(count * dimension, 1), dimension: dimension), from: 1, to: 0)
    let base = BaseDistribution.gaussian(mean: [0.1, 0, -0.2], deviation: [1, 0.8, 1.2])
    let loss: Loss<Double> = objective.loss(base: base, dimension: dimension, count: count)
    let gradient = try solver.gradient(of: loss, at: problem)
    let (middle, h) = (problem.parameters, 1e-6)
    for sample in [2, 3, 4] as [UInt64] {
      let direction = normals(middle.count, sample).map { 0.3 * $0 }
      func at(_ distance: Double) throws -> Double {
        problem.parameters = zip(middle, direction).map { $0 + distance * $1 }
        return try solver.gradient(of: loss, at: problem).losses.reduce(0, +)
      }
      let slope = try (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
      let exact = zip(gradient.parameters, direction).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(exact - slope) <= 1e-7 * max(1, abs(slope)), "\(exact), differences \(slope)")
    }
    // The costs are integrals over |dt|, whatever the direction; computed by hand.
    problem.parameters = middle
    let solution = try solver.solve(problem)
    let rows = dimension + TransportArchitecture.costRows
    let byHand = (0..<count).reduce(0.0) { sum, sample in
      let z = solution.states[sample * rows..<sample * rows + dimension]
      let costs = (solution.states[sample * rows + dimension], solution.states[sample * rows + dimension + 1])
      #expect(costs.0 < 0 && costs.1 < 0)
      return sum - base.logDensity(z) - solution.logDeterminants[sample] - 0.7 * costs.0 - 1.3 * costs.1
    }
    #expect(abs(gradient.losses.reduce(0, +) - byHand / Double(count)) < 1e-13 * abs(byHand))
  }

  private func train(
    _ threads: Int, transport: Double, hamiltonJacobi: Double
  ) throws -> TrainingResult<ContinuousFlow> {
    let architecture = TransportArchitecture(width: 8)
    let flow = try ContinuousFlow(
      dimension: 2, transport: architecture, seed: 5, transform: .standardising(TrainingFixture.split.train.samples))
    let options = Self.options(TrainingFixture.options(steps: 60, backend: .c, threads: threads))
    return try Trainer(
      model: flow,
      objective: TransportLikelihood(
        flow: flow, architecture: architecture, transport: transport, hamiltonJacobi: hamiltonJacobi, options: options),
      training: TrainingFixture.split.train, options: options
    ).run()
  }

  @Test func transportIsTrainedAndWeighed() throws {
    let light = try train(1, transport: 0, hamiltonJacobi: 0).model
    #expect(try train(3, transport: 0, hamiltonJacobi: 0).model == light)
    let heavy = try train(2, transport: 3, hamiltonJacobi: 1).model
    let (far, near) = (
      try light.transportReport(count: 200, seed: 1), try heavy.transportReport(count: 200, seed: 1)
    )
    #expect(near.action < 0.5 * far.action, "\(near) \(far)")
    let before = try ContinuousFlow(
      dimension: 2, transport: TransportArchitecture(width: 8), seed: 5, transform: light.transform)
    let test = TrainingFixture.split.test
    #expect(try light.evaluate(on: test).nllNats < before.evaluate(on: test).nllNats - 0.05)
  }

  @Test func costRowsHaveNoSayInSteps() throws {
    let architecture = TransportArchitecture(width: 8)
    let flow = try ContinuousFlow(dimension: 2, transport: architecture, seed: 5)
    let states = flow.baseSamples(count: 20, seed: 3).values
    let adaptive = SolverOptions(control: .perSample(rtol: 1e-5, atol: 1e-5), errorNorm: .maximum, trace: .exact)
    let plain = try makeSolver(program: flow.program, options: adaptive, scalar: Float.self).solve(
      SolveProblem(parameters: flow.parameters, states: states, from: 1, to: 0))
    let costly = try makeSolver(
      program: architecture.costProgram(stateDimension: 2),
      options: TransportLikelihood.withCosts(adaptive, dimension: 2), scalar: Float.self
    ).solve(
      SolveProblem(
        parameters: flow.parameters, states: TransportLikelihood.withCostRows(states, dimension: 2), from: 1, to: 0))
    // With the largest error of a row as the norm, rows without a tolerance change nothing, except that all rows affect
    // the choice of the first step.
    let (a, b) = (plain.acceptedSteps.reduce(0, +), costly.acceptedSteps.reduce(0, +))
    #expect(abs(a - b) <= states.count / 2, "\(a), with costs \(b)")
  }

  @Test func objectivesRefuse() throws {
    let architecture = TransportArchitecture(width: 4)
    let flow = try ContinuousFlow(dimension: 2, transport: architecture)
    var options = TrainingOptions(steps: 1)
    #expect(throws: TrainingError.self) {
      try TransportLikelihood(flow: flow, architecture: architecture, transport: -1, options: options)
    }
    #expect(throws: TrainingError.self) {
      try TransportLikelihood(flow: flow, architecture: architecture, hamiltonJacobi: .nan, options: options)
    }
    options.regularisation = Regularisation(kineticEnergy: 0.1)
    #expect(throws: TrainingError.self) {
      try TransportLikelihood(flow: flow, architecture: architecture, options: options)
    }
    options.regularisation = .none
    options.endTimeJitter = 0.1
    #expect(throws: TrainingError.self) {
      try TransportLikelihood(flow: flow, architecture: architecture, options: options)
    }
    options.endTimeJitter = 0
    options.solver.trace = .none
    #expect(throws: TrainingError.self) {
      try TransportLikelihood(flow: flow, architecture: architecture, options: options)
    }
  }

  /// For dx/dt = a x everything is known: x(T) = e^{aT} x and ∫ |v|² = a (e^{2aT} − 1)/2 |x|².
  @Test func transportOfALinearFlow() throws {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    let (a, time, count) = (0.8, 1.5, 50)
    let flow = ContinuousFlow(program: program, parameters: [0.8, 0, 0, 0.8, 0, 0], endTime: time)
    let report = try flow.transportReport(
      count: count, seed: 7, options: SolverOptions(control: .perSample(rtol: 1e-6, atol: 1e-6)))
    let square = flow.baseSamples(count: count, seed: 7).values.reduce(0.0) { $0 + Double($1) * Double($1) }
    let mean = square / Double(count)
    let displacement = (exp(a * time) - 1) * (exp(a * time) - 1) * mean
    let action = time * a * (exp(2 * a * time) - 1) / 2 * mean
    // The bound is the tolerance. The kinetic energy uses the steps of the state, and has the same order.
    #expect(abs(report.squaredDisplacement - displacement) < 1e-4 * displacement)
    #expect(abs(report.action - action) < 1e-4 * action)
    #expect(abs(report.crookedness - (1 - displacement / action)) < 1e-4)
  }
}
