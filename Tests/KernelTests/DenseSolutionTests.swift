import Foundation
import NeuralODE
import Testing

/// Dense output from Swift. The C tests measure its orders (`Tests/C/dense_test.c`); these tests check that Swift
/// passes all numbers on.
@Suite struct DenseSolutionTests {
  private static func solver<Scalar: FlowScalar>(
    _: Scalar.Type, _ method: String, _ control: StepControl
  ) throws -> KernelSolver<Scalar> {
    try KernelSolver<Scalar>(program: Fixtures.net(2, [5], .tanh), options: Fixtures.options(method, control))
  }

  private static func problem<Scalar: FlowScalar>(
    _ solver: KernelSolver<Scalar>, times: [Double] = []
  ) -> SolveProblem<Scalar> {
    SolveProblem(
      parameters: (0..<solver.program.parameterCount).map { Scalar(0.1 * Double($0 % 7) - 0.3) },
      states: [0.5, -1, 0.25, 2, 1, 1], from: 1, to: -1, outputTimes: times)
  }

  /// A state between the ends equals that of a solve with this output time, within a hundred tolerances.
  @Test(arguments: ["dopri5", "tsit5", "bosh3", "vern7", "dopri8"])
  func statesEqualThoseAtOutputTimes(method: String) throws {
    let tolerance = 1e-8
    let solver = try Self.solver(Double.self, method, .perSample(rtol: tolerance, atol: tolerance))
    let times = [0.9, 0.31, -0.4, -0.99]
    let path = try solver.denseSolution(Self.problem(solver))
    let stops = try solver.solve(Self.problem(solver, times: times))
    for (index, time) in times.enumerated() {
      let states = path.states(at: time)
      let logDeterminants = path.logDeterminants(at: time)
      #expect(states.count == 6 && logDeterminants.count == 3)
      for sample in 0..<3 {
        for row in 0..<2 {
          #expect(abs(states[sample * 2 + row] - stops.statesAtTimes[(sample * 4 + index) * 2 + row]) < 100 * tolerance)
        }
        #expect(abs(logDeterminants[sample] - stops.logDeterminantsAtTimes[sample * 4 + index]) < 100 * tolerance)
      }
    }
    #expect(path.state(at: 1, ofSample: 1) == [0.25, 2])
    #expect(path.state(at: 1.1, ofSample: 1).filter { !$0.isNaN }.isEmpty)
    #expect(path.logDeterminant(at: -1.1, ofSample: 0).isNaN)
  }

  /// More adaptive steps than the first allocation holds, and fixed steps, in single precision.
  @Test(arguments: [StepControl.perSample(rtol: 1e-6, atol: 1e-6), .fixed(steps: 100)])
  func manySteps(control: StepControl) throws {
    let solver = try Self.solver(Float.self, "bosh3", control)
    let problem = Self.problem(solver)
    let path = try solver.denseSolution(problem)
    let solution = try solver.solve(problem)
    #expect(path.solution.states == solution.states)
    for sample in 0..<3 {
      let end = path.state(at: -1, ofSample: sample)
      for row in 0..<2 {  // The polynomial has four terms, which are rounded and below 4.
        #expect(abs(end[row] - solution.states[sample * 2 + row]) < 4 * 4 * Float.ulpOfOne)
      }
    }
  }
}
