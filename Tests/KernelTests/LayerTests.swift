import Foundation
import NeuralODE
import PureSwift
import Testing

/// The architectures of `FieldArchitecture`: their formulas, their gradients, and the C kernels compared with
/// `PureSwift`.
@Suite struct LayerTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let architecture: FieldArchitecture
    var testDescription: String { name }
    var program: FieldProgram { architecture.program(stateDimension: LayerTests.dimension) }
  }

  static let dimension = 3
  static let count = 5
  static let contextDimension = 2

  static let cases: [Case] = {
    var cases = TimeLayer.allCases.map {
      Case(name: "\($0)", architecture: FieldArchitecture(hidden: [6, 5], activation: .tanh, layer: $0))
    }
    for layer in [TimeLayer.input, .concat, .squash, .concatsquash] {
      cases.append(
        Case(
          name: "\(layer), Fourier features, context",
          architecture: FieldArchitecture(
            hidden: [6], activation: .softplus, layer: layer, contextDimension: contextDimension, timeFeatures: 2)))
    }
    for layer in TimeLayer.allCases {
      cases.append(
        Case(
          name: "\(layer), residual, norms, dropout",
          architecture: FieldArchitecture(
            hidden: [6, 6], activation: .silu, layer: layer, contextDimension: contextDimension, isResidual: true,
            hasLayerNorm: true, dropout: 0.3)))
    }
    cases.append(
      Case(
        name: "hyper by a net",
        architecture: FieldArchitecture(hidden: [5], activation: .tanh, layer: .hyper, hyperUnits: 3)))
    return cases
  }()

  static func problem<Scalar: FlowScalar>(_ program: FieldProgram, _: Scalar.Type) -> SolveProblem<Scalar> {
    var parameters: [Scalar] = Fixtures.parameters(for: program, seed: 71)
    for layout in program.normLayouts {
      for row in 0..<layout.rows { parameters[layout.gainOffset + row] += 1 }
    }
    return SolveProblem(
      parameters: parameters, states: Fixtures.normals(count * dimension, seed: 72), from: 0.9, to: 0.2, seed: 5,
      step: 2,
      sampleIdentifiers: (0..<UInt64(count)).map { 3 * $0 + 1 },
      context: Fixtures.normals(count * program.contextDimension, seed: 73), dropoutIsActive: true)
  }

  // MARK: Formulas

  private func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }

  /// One layer from the state to its derivative, with every product written out.
  @Test(arguments: TimeLayer.allCases, [0, 2]) func formulas(layer: TimeLayer, units: Int) throws {
    if units > 0 && layer != .hyper { return }
    let architecture = FieldArchitecture(hidden: [], activation: .tanh, layer: layer, hyperUnits: units)
    let program = architecture.program(stateDimension: 2)
    let problem = SolveProblem<Double>(
      parameters: Fixtures.normals(program.parameterCount, seed: 74), states: [0.3, -1.1], from: 0.7, to: 1)
    let solver = try KernelSolver<Double>(
      program: program, options: Fixtures.options("dopri5", .fixed(steps: 1), trace: .none))
    let found = try solver.evaluate(problem).velocities
    let (x, t, theta) = (problem.states, problem.startTime, problem.parameters)
    /// The result of linear layer `number`, in the order of the program, for the input `seen`.
    func linear(_ number: Int, _ seen: [Double]) -> [Double] {
      let layout = program.linearLayouts[number]
      return (0..<layout.rows).map { row in
        zip(theta[(layout.weightOffset + row * layout.columns)...], seen).reduce(theta[layout.biasOffset + row]) {
          $0 + $1.0 * $1.1
        }
      }
    }
    let expected: [Double]
    switch layer {
    case .ignore: expected = linear(0, x)
    case .input, .concat: expected = linear(0, x + [t])
    case .squash: expected = zip(linear(1, x), linear(0, [t])).map { $0 * sigmoid($1) }
    case .concatsquash:
      let gated = zip(linear(2, x), linear(0, [t])).map { $0 * sigmoid($1) }
      expected = zip(gated, linear(1, [t])).map { $0 + $1 }
    case .hyper where units > 0:
      let hidden = linear(0, [t]).map { tanh($0) }
      expected = (0..<2).map { row in
        (0..<units).reduce(linear(1, x)[row]) { $0 + hidden[$1] * linear(2 + $1, x)[row] }
      }
    case .blend: expected = zip(linear(0, x), linear(1, x)).map { $0 + t * ($1 - $0) }
    case .hyper: expected = zip(linear(0, x), linear(1, x)).map { $0 + t * $1 }
    }
    // About ten roundings of numbers of order 1.
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-14 }, "\(layer): \(found), by hand \(expected)")
  }

  @Test func plainArchitectureIsTheMultilayerPerceptron() {
    let architecture = FieldArchitecture(hidden: [7, 6], activation: .softplus)
    #expect(architecture.program(stateDimension: 3) == Fixtures.net(3, [7, 6], .softplus))
    #expect(
      FieldArchitecture(hidden: [7], activation: .tanh, layer: .ignore).program(stateDimension: 3)
        == .multilayerPerceptron(stateDimension: 3, hidden: [7], activation: .tanh, seesTime: false))
  }

  /// The input of a network is x, context and time in this order. Its exact trace can be computed as a product.
  @Test func contextComesBeforeTime() throws {
    let program = FieldArchitecture(hidden: [4], activation: .tanh, contextDimension: 2).program(stateDimension: 3)
    #expect(program.contextDimension == 2)
    #expect(program.linearLayouts[0].columns == 3 + 2 + 1)
    let solver = try KernelSolver<Double>(program: program, options: Fixtures.options("dopri5", .fixed(steps: 1)))
    #expect(solver.resolvedTrace == .exactProduct)
    var problem = SolveProblem<Double>(
      parameters: Array(repeating: 0, count: program.parameterCount), states: [0, 0, 0], from: 1, to: 0,
      context: [0, 0])
    // Only the weight of the second row of the context is not 0.
    problem.parameters[4] = 1
    problem.parameters[program.linearLayouts[1].weightOffset] = 1
    #expect(try solver.evaluate(problem).velocities == [0, 0, 0])
    problem.context = [0, 0.5]
    let velocity = try solver.evaluate(problem).velocities[0]
    #expect(abs(velocity - tanh(0.5)) < 1e-15)
  }

  @Test func fourierFeaturesAreSinesAndCosines() throws {
    var program = FieldProgram(stateDimension: 6)
    program.appendFourierFeatures(of: program.append(.time), count: 3)
    #expect(program.isFourierFeatures(1) && !program.isFourierFeatures(0))
    let solver = try KernelSolver<Float>(
      program: program, options: Fixtures.options("dopri5", .fixed(steps: 1), trace: .none))
    let problem = SolveProblem<Float>(
      parameters: InitialParameters.uniform(for: program, seed: 1), states: Array(repeating: 0, count: 6), from: 0.3,
      to: 1)
    let found = try solver.evaluate(problem).velocities
    for index in 0..<3 {
      let angle = Double.pi * Double(index + 1) * 0.3
      // An angle below 4π has a rounding error of 5e-7 in float, and so has its sine.
      #expect(abs(Double(found[index]) - sin(angle)) < 2e-6)
      #expect(abs(Double(found[index + 3]) - cos(angle)) < 2e-6)
    }
  }

  // MARK: Initial parameters

  @Test(arguments: cases) func initialParametersBeginNearTheIdentity(test: Case) throws {
    let program = test.program
    let parameters = InitialParameters.uniform(for: program, seed: 3, lastLayerScale: 0)
    for layout in program.normLayouts {
      #expect(parameters[layout.gainOffset..<layout.biasOffset].allSatisfy { $0 == 1 })
      #expect(parameters[layout.biasOffset..<layout.biasOffset + layout.rows].allSatisfy { $0 == 0 })
    }
    let solver = try KernelSolver<Float>(
      program: program, options: Fixtures.options("dopri5", .fixed(steps: 1), trace: .none))
    var problem = Self.problem(program, Float.self)
    problem.parameters = parameters
    #expect(try solver.evaluate(problem).velocities.allSatisfy { $0 == 0 })
    problem.parameters = InitialParameters.uniform(for: program, seed: 3)
    #expect(try solver.evaluate(problem).velocities.allSatisfy { $0 != 0 })
  }

  // MARK: Gradients

  /// The step h of differences of fourth order. Their truncation error is h⁴ ≈ 1e-20 times a fifth derivative along a
  /// direction of about a hundred parameters (up to 1e9 with layer norms). Their rounding error is ulp/h ≈ 1e-11 of the
  /// loss.
  private static let difference = 1e-5
  private static let tolerance = 1e-7

  private func loss(_ solution: Solution<Double>) -> Double {
    zip(solution.states, Fixtures.normals(solution.states.count, seed: 75) as [Double]).map { $0 * $1 }.reduce(0, +)
      + zip(solution.logDeterminants, Fixtures.normals(Self.count, seed: 76) as [Double]).map { $0 * $1 }.reduce(0, +)
  }

  @Test(arguments: cases, [Trace.none, .hutchinson, .exact])
  func gradientsAreThoseOfDifferences(test: Case, trace: Trace) throws {
    let program = test.program
    let options = Fixtures.options("dopri5", .fixed(steps: 3), trace: trace, probes: 2)
    let cotangents = Loss<Double>.cotangents(
      states: Fixtures.normals(Self.count * Self.dimension, seed: 75),
      logDeterminants: Fixtures.normals(Self.count, seed: 76))
    let solver = try KernelSolver<Double>(program: program, options: options)
    let problem = Self.problem(program, Double.self)
    let gradient = try solver.gradient(of: cotangents, at: problem)
    func compare(_ exact: Double, _ what: String, _ move: (inout SolveProblem<Double>, Double) -> Void) throws {
      func at(_ distance: Double) throws -> Double {
        var moved = problem
        move(&moved, distance)
        return loss(try solver.solve(moved))
      }
      let h = Self.difference
      let slope = try (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
      #expect(
        abs(exact - slope) <= Self.tolerance * max(1, abs(slope)),
        "\(test.name), \(what): \(exact), differences \(slope)")
    }
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).map { $0 * $1 }.reduce(0, +) }
    for seed in [77, 78] as [UInt64] {
      let direction: [Double] = Fixtures.normals(problem.parameters.count, seed: seed, scale: 0.3)
      try compare(product(gradient.parameters, direction), "parameters") { moved, h in
        for index in direction.indices { moved.parameters[index] += h * direction[index] }
      }
    }
    let states: [Double] = Fixtures.normals(problem.states.count, seed: 79)
    try compare(product(gradient.states, states), "states") { moved, h in
      for index in states.indices { moved.states[index] += h * states[index] }
    }
    #expect(gradient.context.count == problem.context.count)
    let context: [Double] = Fixtures.normals(problem.context.count, seed: 80)
    try compare(product(gradient.context, context), "context") { moved, h in
      for index in context.indices { moved.context[index] += h * context[index] }
    }
    try compare(gradient.startTimes.reduce(0, +), "t0") { moved, h in moved.startTime += h }
    try compare(gradient.endTimes.reduce(0, +), "t1") { moved, h in moved.endTime += h }
  }

  // MARK: PureSwift

  /// Ten times the bounds of `AgreementTests`, because the standard deviation in a layer norm of six rows may be a
  /// tenth of the size of the rows.
  private static let stateUlps = 20_000.0
  private static let gradientUlps = 200_000.0

  private func compareBackends<Scalar: FlowScalar>(_ test: Case, _ trace: Trace, _: Scalar.Type) throws {
    let program = test.program
    let options = Fixtures.options("dopri5", .fixed(steps: 4), trace: trace, probes: 2)
    let c = try KernelSolver<Scalar>(program: program, options: options)
    let swift = try PureSwiftSolver<Scalar>(program: program, options: options, tableau: try Methods.named("dopri5"))
    #expect(c.resolvedTrace == swift.resolvedTrace)
    let problem = Self.problem(program, Scalar.self)
    let loss = Loss<Scalar>.standardNormalNegativeLogLikelihood(scale: 1)
    let a = try c.gradient(of: loss, at: problem)
    let b = try swift.gradient(of: loss, at: problem)
    func bound(_ ulps: Double, _ limit: Double, _ what: String) { #expect(ulps < limit, "\(what): \(ulps) ulp") }
    bound(largestDifference(a.solution.states, b.solution.states), Self.stateUlps, "states")
    bound(
      largestDifference(a.solution.logDeterminants.map { Scalar($0) }, b.solution.logDeterminants.map { Scalar($0) }),
      Self.stateUlps, "log-determinants")
    bound(largestDifference(a.parameters, b.parameters), Self.gradientUlps, "parameters")
    bound(largestDifference(a.states, b.states), Self.gradientUlps, "initial states")
    bound(largestDifference(a.context, b.context), Self.gradientUlps, "context")
    bound(
      largestDifference(a.startTimes.map { Scalar($0) }, b.startTimes.map { Scalar($0) }), Self.gradientUlps, "t0")
    bound(largestDifference(a.endTimes.map { Scalar($0) }, b.endTimes.map { Scalar($0) }), Self.gradientUlps, "t1")
  }

  @Test(arguments: cases, [Trace.none, .hutchinson, .exact])
  func backendsAgree(test: Case, trace: Trace) throws {
    try compareBackends(test, trace, Double.self)
    try compareBackends(test, trace, Float.self)
  }

  /// Masks are drawn once per solve, so both backends take the same adaptive steps. `DropoutTests` compares with
  /// networks without dropout.
  @Test(arguments: cases) func adaptiveStepsAreTheSame(test: Case) throws {
    let options = Fixtures.options("dopri5", .perSample(rtol: 1e-6, atol: 1e-6), trace: .hutchinson)
    let c = try KernelSolver<Double>(program: test.program, options: options)
    let swift = try PureSwiftSolver<Double>(
      program: test.program, options: options, tableau: try Methods.named("dopri5"))
    var problem = Self.problem(test.program, Double.self)
    let steps = try c.solve(problem).acceptedSteps
    #expect(steps == (try swift.solve(problem).acceptedSteps))
    if test.architecture.dropout == 0 {
      problem.dropoutIsActive = false
      #expect(try c.solve(problem).acceptedSteps == steps)
    }
  }

  // MARK: Independence of samples

  @Test(arguments: cases) func samplesAreIndependent(test: Case) throws {
    let program = test.program
    let rows = program.contextDimension
    let loss = Loss<Float>.standardNormalNegativeLogLikelihood(scale: 1)
    let problem = Self.problem(program, Float.self)
    func gradient(_ problem: SolveProblem<Float>, threads: Int) throws -> Gradient<Float> {
      let options = Fixtures.options("dopri5", .perSample(rtol: 1e-5, atol: 1e-5), trace: .hutchinson, threads: threads)
      return try KernelSolver<Float>(program: program, options: options).gradient(of: loss, at: problem)
    }
    let all = try gradient(problem, threads: 1)
    #expect(bits(try gradient(problem, threads: 3).parameters) == bits(all.parameters))
    for sample in [0, Self.count - 1] {
      let part = SolveProblem(
        parameters: problem.parameters, states: Array(problem.states[sample * 3..<sample * 3 + 3]),
        from: problem.startTime, to: problem.endTime, seed: problem.seed, step: problem.step,
        sampleIdentifiers: [problem.sampleIdentifiers![sample]],
        context: Array(problem.context[sample * rows..<(sample + 1) * rows]), dropoutIsActive: true)
      let alone = try gradient(part, threads: 1)
      #expect(bits(alone.solution.states) == bits(Array(all.solution.states[sample * 3..<sample * 3 + 3])))
      #expect(bits(alone.states) == bits(Array(all.states[sample * 3..<sample * 3 + 3])))
      #expect(bits(alone.context) == bits(Array(all.context[sample * rows..<(sample + 1) * rows])))
    }
  }
}
