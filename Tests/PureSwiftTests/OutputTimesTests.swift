import CLibrary
import FieldPrograms
import PureSwift
import Testing

/// Compares output times with shorter solves to the bit, with e^{At}, and with central differences.
@Suite struct OutputTimesTests {
  private static let dimension = 2
  private static let count = 3
  private static let times = [0.75, 0.75, 0.4]

  private static func problem(
    _ program: FieldProgram, to end: Double = 0.2, times: [Double] = times
  ) -> SolveProblem<Double> {
    var problem = GradientTests.problem(program)
    problem.endTime = end
    problem.outputTimes = times
    return problem
  }

  private static let program = FieldProgram.multilayerPerceptron(
    stateDimension: dimension, hidden: [5, 3], activation: .tanh)

  /// The state at an output time equals the end state of a solve to that time with the same steps.
  @Test func statesAreThoseOfAShorterSolve() throws {
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      Self.program, .fixed(steps: 6), trace: .exact, tableau: Fixtures.rk4)
    let whole = try solver.solve(Self.problem(Self.program))
    #expect(whole.acceptedSteps == [24, 24, 24])
    for index in Self.times.indices {
      let part = try solver.solve(
        Self.problem(Self.program, to: Self.times[index], times: Array(Self.times[..<index])))
      for sample in 0..<Self.count {
        let row = (sample * Self.times.count + index) * Self.dimension
        #expect(
          Array(whole.statesAtTimes[row..<row + Self.dimension])
            == Array(part.states[sample * Self.dimension..<(sample + 1) * Self.dimension]))
        #expect(whole.logDeterminantsAtTimes[sample * Self.times.count + index] == part.logDeterminants[sample])
      }
    }
  }

  /// A loss at an output time alone has the gradient of a solve that ends there. The derivative by the solve's end is
  /// the one by the output time.
  @Test func gradientIsThatOfAShorterSolve() throws {
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      Self.program, .fixed(steps: 6), trace: .exact, tableau: Fixtures.rk4)
    let zeros = [Double](repeating: 0, count: Self.count * Self.dimension)
    let whole = try solver.gradient(
      of: .cotangents(
        states: zeros, logDeterminants: [0, 0, 0], statesAtTimes: GradientTests.stateBars,
        logDeterminantsAtTimes: GradientTests.logDeterminantBars), at: Self.problem(Self.program, times: [0.5]))
    let part = try solver.gradient(
      of: .cotangents(states: GradientTests.stateBars, logDeterminants: GradientTests.logDeterminantBars),
      at: Self.problem(Self.program, to: 0.5, times: []))
    #expect(whole.outputTimes == part.endTimes && whole.startTimes == part.startTimes)
    #expect(whole.states == part.states && whole.parameters == part.parameters)
    #expect(whole.endTimes == [0, 0, 0])
  }

  /// Checks the gradient by parameters, states, t0, t1 and every output time, with cotangents at all output times.
  @Test(arguments: [Trace.none, .hutchinson, .exactTangents, .exactProduct]) func gradients(trace: Trace) throws {
    let stateBars: [Double] = Fixtures.normals(Self.count * Self.times.count * Self.dimension, seed: 17)
    let logDeterminantBars: [Double] = Fixtures.normals(Self.count * Self.times.count, seed: 18)
    for (tableau, steps) in [(Fixtures.rk4, 2), (Fixtures.dopri5, 1)] {
      let solver: PureSwiftSolver<Double> = try Fixtures.solver(
        Self.program, .fixed(steps: steps), trace: trace, tableau: tableau)
      let problem = Self.problem(Self.program)
      let gradient = try solver.gradient(
        of: .cotangents(
          states: GradientTests.stateBars, logDeterminants: GradientTests.logDeterminantBars,
          statesAtTimes: stateBars, logDeterminantsAtTimes: logDeterminantBars), at: problem)
      func value(_ moved: SolveProblem<Double>) throws -> Double {
        let solution = try solver.solve(moved)
        return GradientTests.loss(solution) + zip(stateBars, solution.statesAtTimes).map { $0 * $1 }.reduce(0, +)
          + zip(logDeterminantBars, solution.logDeterminantsAtTimes).map { $0 * $1 }.reduce(0, +)
      }
      var apart = problem  // differences must leave the times in order: they are taken where no two are the same
      apart.outputTimes = [0.75, 0.65, 0.4]
      try GradientTests.compare(gradient, at: problem, "\(tableau.name) \(trace)", value)
      let apartGradient = try solver.gradient(
        of: .cotangents(
          states: GradientTests.stateBars, logDeterminants: GradientTests.logDeterminantBars,
          statesAtTimes: stateBars, logDeterminantsAtTimes: logDeterminantBars), at: apart)
      for index in apart.outputTimes.indices {
        func at(_ distance: Double) throws -> Double {
          var moved = apart
          moved.outputTimes[index] += distance
          return try value(moved)
        }
        let h = GradientTests.difference
        let slope = try (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
        let exact = (0..<Self.count).map { apartGradient.outputTimes[$0 * Self.times.count + index] }.reduce(0, +)
        #expect(relativeError(exact, slope, floor: 0.1) <= GradientTests.tolerance, "\(trace), time \(index)")
      }
    }
  }

  /// For x′ = a x, x(τ) = e^{aτ} x₀ and ℓ(τ) = aτ. So the derivative of c·x(τ) + d·ℓ(τ) is c a x(τ) + d a by τ, and c
  /// e^{aτ} by x₀.
  @Test func closedForm() throws {
    var program = FieldProgram(stateDimension: 1)
    program.append(.linear(input: .state, rows: 1, activation: .identity))
    let (rate, tolerance) = (-1.3, 1e-9)
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .perSample(rtol: tolerance, atol: tolerance), trace: .exact, tableau: Fixtures.dopri5)
    let times = [0, 0.25, 1.5]
    let (stateBars, logDeterminantBars) = ([0.5, -2.0, 3], [1.0, 0.5, -1])
    let gradient = try solver.gradient(
      of: .cotangents(
        states: [0], logDeterminants: [0], statesAtTimes: stateBars, logDeterminantsAtTimes: logDeterminantBars),
      at: SolveProblem(parameters: [rate, 0], states: [2], from: 0, to: 2, outputTimes: times))
    let bound = 100 * tolerance  // some tens of steps, each within its tolerance
    for (index, time) in times.enumerated() {
      let state = 2 * exp(rate * time)
      #expect(abs(gradient.solution.statesAtTimes[index] - state) <= bound)
      #expect(abs(gradient.solution.logDeterminantsAtTimes[index] - rate * time) <= bound)
      let slope = stateBars[index] * rate * state + logDeterminantBars[index] * rate
      #expect(abs(gradient.outputTimes[index] - slope) <= bound, "time \(time)")
    }
    let expected = zip(stateBars, times).map { $0 * exp(rate * $1) }.reduce(0, +)
    #expect(abs(gradient.states[0] - expected) <= bound)
    #expect(abs(gradient.endTimes[0]) <= bound)
  }

  /// A step that is cut at an output time does not change the controller's plan: k output times cost about k more steps
  /// and no accuracy.
  @Test func cutsCostLittle() throws {
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      Self.program, .perSample(rtol: 1e-7, atol: 1e-7), trace: .exact, tableau: Fixtures.dopri5)
    let plain = try solver.solve(Self.problem(Self.program, times: []))
    let cut = try solver.solve(Self.problem(Self.program))
    for sample in 0..<Self.count {
      #expect(cut.acceptedSteps[sample] <= plain.acceptedSteps[sample] + Self.times.count + 1)
      #expect(cut.acceptedSteps[sample] > plain.acceptedSteps[sample])
    }
    for (a, b) in zip(cut.states, plain.states) { #expect(abs(a - b) <= 1e-5) }
  }

  /// Output times that a failed sample has not reached are NaN. Those of its neighbours are not affected.
  @Test func failedSamplesStopThere() throws {
    var program = FieldProgram(stateDimension: 1)
    program.append(.linear(input: .state, rows: 1, activation: .identity))
    let solver: PureSwiftSolver<Float> = try Fixtures.solver(
      program, .perSample(rtol: 1e-3, atol: 1e-3), trace: .none, tableau: Fixtures.dopri5)
    let solution = try solver.solve(
      SolveProblem(parameters: [40, 0], states: [1, 0], from: 0, to: 3, outputTimes: [1, 2.5]))
    #expect(solution.statuses == [.notFinite, .ok])
    #expect(solution.statesAtTimes[0].isFinite && solution.statesAtTimes[1].isNaN)
    #expect(Array(solution.statesAtTimes[2...]) == [0, 0])
    #expect(solution.logDeterminantsAtTimes[1].isNaN)
  }
}
