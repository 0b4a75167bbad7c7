import Foundation
import NeuralODE
import PureSwift
import Testing

/// Fields that are gradients of potentials. The fields are compared with differences of the potential, their gradients
/// with differences of solves, and the C kernels with `PureSwift`.
@Suite struct PotentialTests {
  private static let dimension = PotentialCase.dimension
  private static let count = PotentialCase.count

  private func solver(
    _ program: FieldProgram, _ method: String = "dopri5", _ control: StepControl = .fixed(steps: 3),
    trace: Trace = .none
  ) throws -> KernelSolver<Double> {
    try KernelSolver<Double>(program: program, options: Fixtures.options(method, control, trace: trace, probes: 2))
  }

  /// The differences are of fourth order with h = 2⁻¹⁰. Their truncation error is h⁴ ≈ 1e-12 times a fifth derivative.
  /// Where a jump of elu's second derivative is within 2h, it is h² ≈ 1e-6 times a third derivative. Their rounding
  /// error is 1e-13 of the potential.
  @Test(arguments: PotentialCase.gradients) func fieldsAreGradients(test: PotentialCase) throws {
    let potential = try solver(try #require(test.potential))
    let problem = test.problem(Double.self)
    let field = try solver(test.program).evaluate(problem).velocities
    let h = 0x1p-10
    for row in 0..<Self.dimension {
      func energies(_ distance: Double) throws -> [Double] {
        var moved = problem
        for sample in 0..<Self.count { moved.states[sample * Self.dimension + row] += distance }
        return try potential.evaluate(moved).velocities
      }
      let (near, back) = (try energies(h), try energies(-h))
      let (far, farBack) = (try energies(2 * h), try energies(-2 * h))
      let place = try #require(test.rows.firstIndex(of: row))
      for sample in 0..<Self.count {
        let i = sample * Self.dimension
        let slope = (8 * (near[i] - back[i]) - (far[i] - farBack[i])) / (12 * h)
        let found = field[i + place]
        #expect(
          abs(found - test.signs[place] * slope) <= 1e-9 * max(1, abs(slope)),
          "\(test.name), row \(row): \(found), differences \(slope)")
      }
    }
  }

  // MARK: Gradients of solves

  private func loss(_ solution: Solution<Double>) -> Double {
    zip(solution.states, Fixtures.normals(solution.states.count, seed: 83) as [Double]).map { $0 * $1 }.reduce(0, +)
      + zip(solution.logDeterminants, Fixtures.normals(Self.count, seed: 84) as [Double]).map { $0 * $1 }.reduce(0, +)
  }

  /// As in `LayerTests`: the truncation error is h⁴ = 1e-16 times a fifth derivative along a direction, and the
  /// rounding error 1e-12 of the loss. README promises 1e-7.
  @Test(arguments: PotentialCase.all, [Trace.none, .hutchinson, .exactTangents])
  func gradientsAreThoseOfDifferences(test: PotentialCase, trace: Trace) throws {
    let solver = try solver(test.program, trace: trace)
    let problem = test.problem(Double.self)
    let gradient = try solver.gradient(
      of: .cotangents(
        states: Fixtures.normals(problem.states.count, seed: 83),
        logDeterminants: Fixtures.normals(Self.count, seed: 84)), at: problem)
    func compare(_ exact: Double, _ what: String, _ move: (inout SolveProblem<Double>, Double) -> Void) throws {
      func at(_ distance: Double) throws -> Double {
        var moved = problem
        move(&moved, distance)
        return loss(try solver.solve(moved))
      }
      let h = 1e-4
      let slope = try (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
      #expect(
        abs(exact - slope) <= 1e-7 * max(1, abs(slope)), "\(test.name), \(what): \(exact), differences \(slope)")
    }
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).map { $0 * $1 }.reduce(0, +) }
    for seed in [85, 86, 87] as [UInt64] {
      let direction: [Double] = Fixtures.normals(problem.parameters.count, seed: seed, scale: 0.3)
      try compare(product(gradient.parameters, direction), "parameters") { moved, h in
        for index in direction.indices { moved.parameters[index] += h * direction[index] }
      }
    }
    let states: [Double] = Fixtures.normals(problem.states.count, seed: 88)
    try compare(product(gradient.states, states), "states") { moved, h in
      for index in states.indices { moved.states[index] += h * states[index] }
    }
    try compare(gradient.startTimes.reduce(0, +), "t0") { moved, h in moved.startTime += h }
    try compare(gradient.endTimes.reduce(0, +), "t1") { moved, h in moved.endTime += h }
  }

  // MARK: PureSwift, and bits

  /// The bounds of `AgreementTests`, times 3, because the program of a gradient is three times as deep.
  @Test(arguments: PotentialCase.all, [Trace.none, .hutchinson])
  func backendsAgree(test: PotentialCase, trace: Trace) throws { try compareBackends(test, trace) }

  /// The exact divergence of Hamiltonian fields is only rounding error, which cannot be compared.
  /// `StructuredFieldTests` bounds it.
  @Test(arguments: PotentialCase.withDivergence)
  func backendsAgreeOnDivergences(test: PotentialCase) throws { try compareBackends(test, .exactTangents) }

  private func compareBackends(_ test: PotentialCase, _ trace: Trace) throws {
    func compare<Scalar: FlowScalar>(_: Scalar.Type) throws {
      let options = Fixtures.options("rk4", .fixed(steps: 4), trace: trace, probes: 2)
      let twins = try Twins<Scalar>(test.program, options)
      try twins.expectEqualGradients(
        of: .standardNormalNegativeLogLikelihood(scale: 1), .none, at: test.problem(),
        Twins<Scalar>.Bounds(state: 6_000, gradient: 60_000), test.name)
    }
    try compare(Double.self)
    try compare(Float.self)
  }

  /// Both backends choose the same trace for `automatic`, from the number of products including those with tied
  /// weights.
  @Test(arguments: PotentialCase.all) func automaticTracesAgree(test: PotentialCase) throws {
    for probes in [1, 2, 3] {
      _ = try Twins<Double>(test.program, Fixtures.options("rk4", .fixed(steps: 4), trace: .automatic, probes: probes))
    }
  }

  @Test(arguments: PotentialCase.all) func samplesAreIndependent(test: PotentialCase) throws {
    let loss = Loss<Float>.standardNormalNegativeLogLikelihood(scale: 1)
    func gradient(_ problem: SolveProblem<Float>, threads: Int) throws -> Gradient<Float> {
      let options = Fixtures.options(
        "dopri5", .perSample(rtol: 1e-5, atol: 1e-5), trace: .exactTangents, threads: threads)
      return try KernelSolver<Float>(program: test.program, options: options).gradient(of: loss, at: problem)
    }
    let problem = test.problem(Float.self)
    let all = try gradient(problem, threads: 1)
    #expect(bits(try gradient(problem, threads: 3).parameters) == bits(all.parameters))
    for sample in [0, Self.count - 1] {
      let rows = sample * Self.dimension..<(sample + 1) * Self.dimension
      var part = problem
      part.states = Array(problem.states[rows])
      part.sampleIdentifiers = [UInt64(sample)]
      let alone = try gradient(part, threads: 1)
      #expect(bits(alone.solution.states) == bits(Array(all.solution.states[rows])))
      #expect(bits(alone.states) == bits(Array(all.states[rows])))
    }
  }

  // MARK: What is refused

  @Test func derivativesThatAreNotPrograms() {
    #expect(throws: DerivativeError.activation(.gelu)) {
      try HamiltonianArchitecture(hidden: [4], activation: .gelu).program(stateDimension: 2)
    }
    #expect(throws: DerivativeError.activation(.relu)) {
      try TransportArchitecture(width: 4, activation: .relu).program(stateDimension: 2)
    }
    func gradient(_ build: (inout FieldProgram) -> FieldProgram.Block) throws {
      var program = FieldProgram(stateDimension: 2)
      let block = build(&program)
      _ = try program.appendGradient(of: program.append(.sum(input: block)), by: [.state])
    }
    #expect(throws: DerivativeError.fusedActivation(.softplus)) {
      try gradient { $0.append(.linear(input: .state, rows: 3, activation: .softplus)) }
    }
    #expect(throws: DerivativeError.operation("layer norm")) { try gradient { $0.append(.layerNorm(input: .state)) } }
    #expect(throws: DerivativeError.operation("dropout")) {
      try gradient { $0.append(.dropout(input: .state, rate: 0.5)) }
    }
    #expect(throws: DerivativeError.operation("transposed product")) {
      try gradient {
        let linear = $0.append(.linear(input: .state, rows: 2, activation: .tanh))
        return $0.append(.transposed(input: .state, weightsOf: linear))
      }
    }
    #expect(DerivativeError.activation(.relu).description.hasSuffix("not relu"))
  }
}
