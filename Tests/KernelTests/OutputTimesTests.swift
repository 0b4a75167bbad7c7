import NeuralODE
import PureSwift
import Testing

/// Output times through the bridge. Their numbers are tested in C (`Tests/C/times_test.c`); here, that they arrive.
@Suite struct OutputTimesTests {
  private static func solver() throws -> KernelSolver<Double> {
    try KernelSolver<Double>(
      program: Fixtures.net(2, [5], .tanh), options: Fixtures.options("rk4", .fixed(steps: 10)))
  }

  private static func problem(_ solver: KernelSolver<Double>, to end: Double, times: [Double]) -> SolveProblem<Double> {
    SolveProblem(
      parameters: (0..<solver.program.parameterCount).map { 0.1 * Double($0 % 7) - 0.3 },
      states: [0.5, -1, 0.25, 2, 1, 1], from: 0, to: end, outputTimes: times)
  }

  /// The state at a time is the end of a solve to it that had the same steps, to the bit.
  @Test func statesAreThoseOfAShorterSolve() throws {
    let solver = try Self.solver()
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

  /// A loss at a time alone has the gradient of the solve that ends there: the end's derivative is the time's.
  @Test func gradientIsThatOfAShorterSolve() throws {
    let solver = try Self.solver()
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

  @Test func refusals() throws {
    let solver = try Self.solver()
    #expect(throws: KernelError.self) { try solver.solve(Self.problem(solver, to: 1, times: [1.5])) }
    let swift = try PureSwiftSolver<Double>(
      program: solver.program, options: solver.options, tableau: try Methods.named("rk4"))
    #expect(throws: PureSwiftError.outputTimes) { try swift.solve(Self.problem(solver, to: 1, times: [0.5])) }
  }
}
