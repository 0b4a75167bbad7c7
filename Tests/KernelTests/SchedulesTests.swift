import NeuralODE
import PureSwift
import Testing

/// The bits of a gradient do not depend on which states are stored for it, with either backend.
/// `Tests/C/schedules_test.c` covers every method and counts evaluations.
@Suite struct SchedulesTests {
  struct Case: CustomTestStringConvertible {
    let method: String
    let control: StepControl
    let trace: Trace
    let schedule: AdjointSchedule
    var testDescription: String { "\(method), \(control), \(trace), \(schedule)" }
  }

  private static let dimension = 3
  private static let count = 41

  /// One checkpoint of double states in a chunk of 8 tiles of at most 32 lanes takes 9,216 bytes. The budgets hold a
  /// few and many of them.
  private static let schedules: [AdjointSchedule] = [
    .every(1), .every(2), .every(5), .every(300), .binomial(bytes: 10_000), .binomial(bytes: 50_000), .binomial(),
    .automatic(bytes: 20_000), .automatic(),
  ]
  /// The schedules of the backend in Swift, which has no budgets.
  private static let withoutBudgets: [AdjointSchedule] = [.every(1), .every(2), .every(5), .every(300)]

  private static func cases(_ schedules: [AdjointSchedule]) -> [Case] {
    let settings: [(String, StepControl, Trace)] = [
      ("dopri5", .perSample(rtol: 1e-6, atol: 1e-6), .hutchinson), ("rk4", .fixed(steps: 11), .exactTangents),
      ("bosh3", .perSample(rtol: 1e-5, atol: 1e-5), .exactProduct), ("euler", .fixed(steps: 23), .none),
    ]
    return settings.flatMap { method, control, trace in
      schedules.map { Case(method: method, control: control, trace: trace, schedule: $0) }
    }
  }

  private static let program = Fixtures.net(dimension, [12, 9], .softplus)

  private func options(_ test: Case, _ schedule: AdjointSchedule, threads: Int) -> SolverOptions {
    var options = Fixtures.options(test.method, test.control, trace: test.trace, threads: threads)
    options.keptEvaluationBytes = 0
    options.adjoint = schedule
    return options
  }

  private func gradient(by solver: some FieldSolver<Double>) throws -> Gradient<Double> {
    try solver.gradient(
      of: .standardNormalNegativeLogLikelihood(scale: 1.0 / Double(Self.count)),
      at: SolveProblem(
        parameters: Fixtures.parameters(for: Self.program, seed: 3, gain: 1.5),
        states: Fixtures.normals(Self.count * Self.dimension, seed: 4), from: 1, to: 0, seed: 7))
  }

  private func expectSameBits(_ found: Gradient<Double>, _ expected: Gradient<Double>) {
    #expect(expected.parameters.contains { $0 != 0 })
    #expect(bits(found.parameters) == bits(expected.parameters))
    #expect(bits(found.states) == bits(expected.states))
    #expect(bits(found.startTimes) == bits(expected.startTimes))
    #expect(bits(found.endTimes) == bits(expected.endTimes))
    #expect(bits(found.losses) == bits(expected.losses))
  }

  @Test(arguments: cases(schedules)) func kernelsGiveTheSameBits(test: Case) throws {
    let every = try KernelSolver<Double>(program: Self.program, options: options(test, .everyStep, threads: 1))
    let expected = try gradient(by: every)
    for threads in [1, 3] {
      let solver = try KernelSolver<Double>(
        program: Self.program, options: options(test, test.schedule, threads: threads))
      expectSameBits(try gradient(by: solver), expected)
    }
  }

  @Test(arguments: cases(withoutBudgets)) func swiftGivesTheSameBits(test: Case) throws {
    let tableau = try Methods.named(test.method)
    let expected = try gradient(
      by: PureSwiftSolver<Double>(
        program: Self.program, options: options(test, .everyStep, threads: 1), tableau: tableau))
    for threads in [1, 3] {
      let solver = try PureSwiftSolver<Double>(
        program: Self.program, options: options(test, test.schedule, threads: threads), tableau: tableau)
      expectSameBits(try gradient(by: solver), expected)
      expectSameBits(try gradient(by: solver), expected)
    }
  }

  @Test func refusals() throws {
    let test = Case(method: "dopri5", control: .perSample(rtol: 1e-5, atol: 1e-5), trace: .exact, schedule: .everyStep)
    for schedule in [AdjointSchedule.every(0), .binomial(bytes: 0), .automatic(bytes: -1), .binomial(bytes: 1)] {
      #expect(throws: KernelError.self) {
        try KernelSolver<Double>(program: Self.program, options: options(test, schedule, threads: 1))
      }
    }
    let tableau = try Methods.named("dopri5")
    for schedule in [AdjointSchedule.binomial(), .automatic()] {
      #expect(throws: PureSwiftError.checkpointBudget) {
        try PureSwiftSolver<Double>(
          program: Self.program, options: options(test, schedule, threads: 1), tableau: tableau)
      }
    }
    #expect(throws: PureSwiftError.self) {
      try PureSwiftSolver<Double>(
        program: Self.program, options: options(test, .every(0), threads: 1), tableau: tableau)
    }
  }
}
