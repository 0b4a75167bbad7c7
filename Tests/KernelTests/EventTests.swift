import Foundation
import NeuralODE
import PureSwift
import Testing

/// Events from Swift. The C tests check their numbers (`Tests/C/events_test.c`); these tests check that Swift passes
/// them on.
@Suite struct EventTests {
  private static let gravity = 9.81

  /// height' = velocity, velocity' = -g.
  private static func fallingBody<Scalar: FlowScalar>(_: Scalar.Type) throws -> KernelSolver<Scalar> {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    return try KernelSolver<Scalar>(program: program, options: SolverOptions(trace: .none))
  }

  private static func problem<Scalar: FlowScalar>(
    _: Scalar.Type, events: [SolveEvent<Scalar>]
  ) -> SolveProblem<Scalar> {
    SolveProblem(
      parameters: [0, 1, 0, 0, 0, Scalar(-gravity)], states: [1, 0, 5, 0, 20, 0, 500, 0], from: 0, to: 4, events: events
    )
  }

  private static func ground<Scalar: FlowScalar>(_: Scalar.Type) -> SolveEvent<Scalar> {
    SolveEvent(
      direction: .falling,
      gradient: { _, _, slope in
        slope[0] = 1
        slope[1] = 0
        return 0
      },
      value: { _, state in Double(state[0]) })
  }

  /// t = √(2h/g) and dt/dh = t/2h. From 500 m the body does not reach the ground before the end time.
  @Test func freeFall() throws {
    let solver = try Self.fallingBody(Double.self)
    let gradient = try solver.gradient(
      of: .cotangents(
        states: Array(repeating: 0, count: 8), logDeterminants: [0, 0, 0, 0], eventTimes: [1, 1, 1, 1]),
      at: Self.problem(Double.self, events: [Self.ground(Double.self)]))
    let solution = gradient.solution
    #expect(solution.events == [0, 0, 0, nil])
    #expect(solution.statuses == [.ok, .ok, .ok, .ok])
    #expect(solution.timesReached[3] == 4)
    for (sample, height) in [1.0, 5, 20].enumerated() {
      let time = (2 * height / Self.gravity).squareRoot()
      // The path is a parabola, for which dopri5 is exact up to rounding.
      #expect(abs(solution.timesReached[sample] - time) < 1e-13)
      #expect(abs(solution.states[sample * 2]) < 1e-12)
      #expect(abs(gradient.states[sample * 2] - time / (2 * height)) < 1e-12)
    }
    #expect(gradient.states[6] == 0 && gradient.states[7] == 0)
  }

  @Test func singlePrecisionAndTheFirstOfSeveral() throws {
    let solver = try Self.fallingBody(Float.self)
    let clock = SolveEvent<Float>(direction: .rising, tolerance: 1e-6) { time, _ in time - 1 }
    let solution = try solver.solve(Self.problem(Float.self, events: [Self.ground(Float.self), clock]))
    #expect(solution.events == [0, 1, 1, 1])
    #expect(abs(solution.timesReached[0] - (2 / Self.gravity).squareRoot()) < 1e-5)
    for time in solution.timesReached[1...] { #expect(time >= 1 && time <= 1 + 1e-6) }
  }

  @Test func refusals() throws {
    let solver = try Self.fallingBody(Double.self)
    let plain = SolveEvent<Double> { _, state in state[0] }
    let problem = Self.problem(Double.self, events: [plain])
    #expect(throws: KernelError.self) {
      try solver.gradient(of: .standardNormalNegativeLogLikelihood(scale: 1), at: problem)
    }
    #expect(throws: KernelError.self) {
      try solver.solve(Self.problem(Double.self, events: Array(repeating: plain, count: 9)))
    }
    let undefined = SolveEvent<Double> { _, _ in .nan }
    let statuses = try solver.solve(Self.problem(Double.self, events: [undefined])).statuses
    #expect(statuses.allSatisfy { $0 == .eventUndefined })
    let swift = try PureSwiftSolver<Double>(
      program: solver.program, options: solver.options, tableau: try Methods.named("dopri5"))
    #expect(throws: PureSwiftError.events) { try swift.solve(problem) }
  }
}
