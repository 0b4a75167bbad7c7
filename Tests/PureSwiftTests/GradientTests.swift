import FieldPrograms
import PureSwift
import Testing

/// Compares gradients with central differences of the same solve, in double.
@Suite struct GradientTests {
  static let dimension = 2
  static let count = 3
  /// The step h of differences of fourth order. Truncation is h⁴ ≈ 1e-20 times the loss's fifth derivative along a
  /// direction of about 30 parameters; rounding is ulp/h ≈ 1e-11 of the loss. Differences of second order would not
  /// suffice: for a Frobenius norm, h² ≈ 1e-10 times the third derivative is 1e-7.
  static let difference = 1e-5
  static let tolerance = 1e-7

  /// A loss of the solution's states and log-determinants, whose cotangents are all different.
  static let stateBars: [Double] = Fixtures.normals(count * dimension, seed: 10)
  static let logDeterminantBars: [Double] = Fixtures.normals(count, seed: 11)

  static let regularisations = [
    Regularisation.none, Regularisation(kineticEnergy: 0.7), Regularisation(frobeniusNorm: 0.3),
    Regularisation(kineticEnergy: 0.2, frobeniusNorm: 0.9),
  ]

  static func loss(_ solution: Solution<Double>, _ regularisation: Regularisation = .none) -> Double {
    zip(stateBars, solution.states).map { $0 * $1 }.reduce(0, +)
      + zip(logDeterminantBars, solution.logDeterminants).map { $0 * $1 }.reduce(0, +)
      + regularisation.kineticEnergy * solution.kineticEnergies.reduce(0, +)
      + regularisation.frobeniusNorm * solution.frobeniusNorms.reduce(0, +)
  }

  static func problem(_ program: FieldProgram) -> SolveProblem<Double> {
    SolveProblem(
      parameters: Fixtures.normals(program.parameterCount, seed: 12, scale: 0.7),
      states: Fixtures.normals(count * dimension, seed: 13), from: 0.9, to: 0.2, seed: 5)
  }

  /// Compares `gradient` with differences of `value` in random directions of θ and x, and in t0 and t1.
  static func compare(
    _ gradient: Gradient<Double>, at problem: SolveProblem<Double>, _ name: String,
    _ value: (SolveProblem<Double>) throws -> Double
  ) throws {
    func slope(_ move: (inout SolveProblem<Double>, Double) -> Void) throws -> Double {
      func at(_ distance: Double) throws -> Double {
        var moved = problem
        move(&moved, distance)
        return try value(moved)
      }
      let h = difference
      return try (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    }
    func expectEqual(_ exact: Double, _ slope: Double, _ what: String) {
      let error = relativeError(exact, slope, floor: 0.1)
      #expect(error <= tolerance, "\(name), \(what): \(exact) and differences \(slope), relative \(error)")
    }
    for seed in [20, 21] as [UInt64] {
      let direction: [Double] = Fixtures.normals(problem.parameters.count, seed: seed)
      let found = try slope { moved, h in for i in direction.indices { moved.parameters[i] += h * direction[i] } }
      expectEqual(zip(gradient.parameters, direction).map { $0 * $1 }.reduce(0, +), found, "parameters")
    }
    let direction: [Double] = Fixtures.normals(problem.states.count, seed: 22)
    let found = try slope { moved, h in for i in direction.indices { moved.states[i] += h * direction[i] } }
    expectEqual(zip(gradient.states, direction).map { $0 * $1 }.reduce(0, +), found, "states")
    expectEqual(gradient.startTimes.reduce(0, +), try slope { $0.startTime += $1 }, "start time")
    expectEqual(gradient.endTimes.reduce(0, +), try slope { $0.endTime += $1 }, "end time")
  }

  static func check(
    _ program: FieldProgram, _ trace: Trace, _ name: String, probes: Int = 1, tableau: ButcherTableau = Fixtures.rk4,
    steps: Int = 2
  ) throws {
    let problem = Self.problem(program)
    for regularisation in regularisations
    where regularisation.frobeniusNorm == 0 || (trace != .none && trace != .exactProduct) {
      let solver: PureSwiftSolver<Double> = try Fixtures.solver(
        program, .fixed(steps: steps), trace: trace, tableau: tableau, probes: probes, regularisation: regularisation)
      let gradient = try solver.gradient(
        of: .cotangents(states: stateBars, logDeterminants: logDeterminantBars), regularisation: regularisation,
        at: problem)
      #expect(gradient.solution.statuses.allSatisfy { $0 == .ok })
      try compare(gradient, at: problem, "\(name), \(trace), \(regularisation)") {
        loss(try solver.solve($0), regularisation)
      }
    }
  }

  @Test(arguments: Activation.allCases, [Trace.none, .hutchinson, .exactTangents, .exactProduct])
  func perceptron(_ activation: Activation, _ trace: Trace) throws {
    let program = FieldProgram.multilayerPerceptron(
      stateDimension: Self.dimension, hidden: [5, 3], activation: activation)
    try Self.check(program, trace, "\(activation)", probes: trace == .hutchinson ? 2 : 1)
  }

  @Test(arguments: Activation.allCases, [Trace.none, .hutchinson, .exactTangents])
  func residual(_ activation: Activation, _ trace: Trace) throws {
    try Self.check(
      Fixtures.residualProgram(dimension: Self.dimension, activation: activation), trace, "residual \(activation)")
  }

  @Test(arguments: [[], [5]]) func shallowProducts(_ hidden: [Int]) throws {
    let program = FieldProgram.multilayerPerceptron(
      stateDimension: Self.dimension, hidden: hidden, activation: .tanh)
    try Self.check(program, .exactProduct, "\(hidden.count) hidden")
  }

  /// Methods with a stage whose weight in b is 0: the first stage in one, the last in the other.
  @Test func stagesWithoutWeight() throws {
    let program = FieldProgram.multilayerPerceptron(stateDimension: Self.dimension, hidden: [4], activation: .silu)
    try Self.check(program, .exactTangents, "midpoint", tableau: Fixtures.midpointEuler, steps: 3)
    try Self.check(program, .hutchinson, "dopri5", tableau: Fixtures.dopri5, steps: 2)
  }

  /// Repeats the accepted steps of an adaptive solve as fixed step fractions. The result is a smooth function, and its
  /// gradient is that of the adaptive solve.
  @Test(arguments: [Fixtures.dopri5, Fixtures.midpointEuler]) func adaptive(_ tableau: ButcherTableau) throws {
    let program = FieldProgram.multilayerPerceptron(stateDimension: Self.dimension, hidden: [5, 3], activation: .tanh)
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .perSample(rtol: 1e-3, atol: 1e-3), trace: .exact, tableau: tableau)
    let problem = Self.problem(program)
    let gradient = try solver.gradient(
      of: .cotangents(states: Self.stateBars, logDeterminants: Self.logDeterminantBars), at: problem)
    let fractions = try solver.acceptedStepFractions(problem)
    #expect(fractions.map { $0.count - 1 } == gradient.solution.acceptedSteps)
    #expect(Set(fractions.map(\.count)).count >= 1 && fractions.allSatisfy { $0.count > 2 })
    let replay: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .fixed(steps: 0), trace: .exact, tableau: tableau)
    try Self.compare(gradient, at: problem, "adaptive \(tableau.name)") { moved in
      // Every sample has its own steps, so each is repeated as a solve of its own.
      var value = 0.0
      for sample in 0..<Self.count {
        let rows = sample * Self.dimension..<(sample + 1) * Self.dimension
        var alone = moved
        alone.states = Array(moved.states[rows])
        alone.stepFractions = fractions[sample]
        let solution = try replay.solve(alone)
        value += zip(Self.stateBars[rows], solution.states).map { $0 * $1 }.reduce(0, +)
        value += Self.logDeterminantBars[sample] * solution.logDeterminants[0]
      }
      return value
    }
  }

  @Test func negativeLogLikelihood() throws {
    let program = FieldProgram.multilayerPerceptron(stateDimension: Self.dimension, hidden: [4], activation: .softplus)
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .fixed(steps: 2), trace: .exact, tableau: Fixtures.rk4)
    let problem = Self.problem(program)
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 0.25)
    let gradient = try solver.gradient(of: loss, at: problem)
    try Self.compare(gradient, at: problem, "likelihood") { moved in
      let solution = try solver.solve(moved)
      let squares = solution.states.map { $0 * $0 }.reduce(0, +)
      let logTwoPi = 1.8378770664093453
      return 0.25
        * (0.5 * squares + 0.5 * Double(moved.states.count) * logTwoPi - solution.logDeterminants.reduce(0, +))
    }
    #expect(gradient.losses.count == Self.count)
  }

  /// Float takes the same steps as Double. Their gradients differ by the rounding of about a hundred float operations
  /// in a row.
  @Test func floatFollowsDouble() throws {
    let program = FieldProgram.multilayerPerceptron(stateDimension: Self.dimension, hidden: [9, 6], activation: .tanh)
    let wide = Self.problem(program)
    let narrow = SolveProblem<Float>(
      parameters: wide.parameters.map { Float($0) }, states: wide.states.map { Float($0) }, from: wide.startTime,
      to: wide.endTime, seed: wide.seed)
    for trace in [Trace.hutchinson, .exactTangents, .exactProduct] {
      let doubles: PureSwiftSolver<Double> = try Fixtures.solver(
        program, .fixed(steps: 3), trace: trace, tableau: Fixtures.rk4)
      let floats: PureSwiftSolver<Float> = try Fixtures.solver(
        program, .fixed(steps: 3), trace: trace, tableau: Fixtures.rk4)
      let exact = try doubles.gradient(of: .standardNormalNegativeLogLikelihood(scale: 1), at: wide)
      let rounded = try floats.gradient(of: .standardNormalNegativeLogLikelihood(scale: 1), at: narrow)
      let tolerance = 300 * Double(Float.ulpOfOne)
      for (a, b) in zip(exact.parameters, rounded.parameters) {
        #expect(relativeError(a, Double(b), floor: 1) <= tolerance)
      }
      for (a, b) in zip(exact.losses, rounded.losses) { #expect(relativeError(a, b, floor: 1) <= tolerance) }
    }
  }
}
