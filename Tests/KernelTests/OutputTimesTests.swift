import NeuralODE
import Testing

/// Output times from Swift. The C tests check the numbers (`Tests/C/times_test.c`); these tests check that Swift passes
/// them on.
@Suite struct OutputTimesTests {
  private static func solver(
    _ method: String = "rk4", steps: Int = 10, adjoint: AdjointSchedule = .everyStep
  ) throws -> KernelSolver<Double> {
    var options = Fixtures.options(method, .fixed(steps: steps))
    options.adjoint = adjoint
    options.iterationRtol = 1e-12
    options.iterationAtol = 1e-12
    return try KernelSolver<Double>(program: Fixtures.net(2, [5], .tanh), options: options)
  }

  private static func problem(_ solver: KernelSolver<Double>, to end: Double, times: [Double]) -> SolveProblem<Double> {
    SolveProblem(
      parameters: (0..<solver.program.parameterCount).map { 0.1 * Double($0 % 7) - 0.3 },
      states: [0.5, -1, 0.25, 2, 1, 1], from: 0, to: end, outputTimes: times)
  }

  /// The state at an output time equals, to the bit, the end state of a solve to that time with the same steps.
  @Test(arguments: Methods.all.map(\.name)) func statesEqualThoseOfAShorterSolve(method: String) throws {
    let solver = try Self.solver(method)
    let times = [0.5, 0.75]
    let whole = try solver.solve(Self.problem(solver, to: 2, times: times))
    #expect(whole.statesAtTimes.count == 3 * 2 * 2)
    #expect(whole.logDeterminantsAtTimes.count == 3 * 2)
    for (index, time) in times.enumerated() {
      let part = try solver.solve(Self.problem(solver, to: time, times: Array(times[..<index])))
      for sample in 0..<3 {
        let row = (sample * 2 + index) * 2
        #expect(Array(whole.statesAtTimes[row..<row + 2]) == Array(part.states[sample * 2..<sample * 2 + 2]))
        #expect(whole.logDeterminantsAtTimes[sample * 2 + index] == part.logDeterminants[sample])
      }
    }
  }

  /// A loss at one output time only has the gradient of a solve that ends there. The derivative by the output time
  /// equals that by the end time of the shorter solve.
  @Test(arguments: Methods.all.filter(\.hasDiscreteGradient).map(\.name))
  func gradientEqualsThatOfAShorterSolve(method: String) throws {
    let solver = try Self.solver(method)
    let zeros = [Double](repeating: 0, count: 6)
    let states = [1.0, -0.5, 0.25, 2, -1, 0.75]
    let logDeterminants = [0.5, -1, 2]
    let whole = try solver.gradient(
      of: .cotangents(
        states: zeros, logDeterminants: [0, 0, 0], statesAtTimes: states, logDeterminantsAtTimes: logDeterminants),
      at: Self.problem(solver, to: 2, times: [0.5]))
    let part = try solver.gradient(
      of: .cotangents(states: states, logDeterminants: logDeterminants), at: Self.problem(solver, to: 0.5, times: []))
    #expect(whole.outputTimes == part.endTimes)
    #expect(whole.startTimes == part.startTimes)
    #expect(whole.states == part.states)
    #expect(whole.parameters == part.parameters)
    #expect(whole.endTimes == [0, 0, 0])
  }

  /// Every method has a gradient with output times, discrete or continuous. It converges to that of the flow as steps
  /// become short.
  @Test(arguments: Methods.all) func everyMethodHasAGradient(method: ButcherTableau) throws {
    func gradient(_ name: String, _ steps: Int, _ adjoint: AdjointSchedule) throws -> [Double] {
      let solver = try Self.solver(name, steps: steps, adjoint: adjoint)
      let loss = Loss<Double>.cotangents(
        states: [1, 2, -1, 0.5, 1, 1], logDeterminants: [1, -1, 2], statesAtTimes: [1, -0.5, 0.25, 2, -1, 0.75],
        logDeterminantsAtTimes: [0.5, -1, 2])
      let found = try solver.gradient(of: loss, at: Self.problem(solver, to: 1.5, times: [0.5]))
      #expect(found.solution.statuses.allSatisfy { $0 == .ok })
      return found.parameters + found.states + found.startTimes + found.endTimes + found.outputTimes
    }
    let exact = try gradient("dopri8", 100, .everyStep)
    let adjoints: [AdjointSchedule] =
      switch method.family {
      case .implicitAdams: [.continuous()]
      case .reversible: [.everyStep, .reversible]
      default: [.everyStep, .continuous()]
      }
    for adjoint in adjoints {
      let errors = try [20, 40].map { steps in
        zip(try gradient(method.name, steps, adjoint), exact).map { abs($0 - $1) }.max() ?? .infinity
      }
      // The order is at least 1 to within 0.2, unless the error is that of about a hundred roundings of numbers below
      // 100.
      #expect(
        errors[0] < 1 && (errors[1] < errors[0] / 1.74 || errors[1] < 1e-10), "\(method.name), \(adjoint): \(errors)")
    }
  }

  @Test func refusals() throws {
    let solver = try Self.solver()
    #expect(throws: KernelError.self) { try solver.solve(Self.problem(solver, to: 1, times: [1.5])) }
  }
}
