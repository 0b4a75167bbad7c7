import Foundation
import NeuralODE
import PureSwift
import Testing

/// Fields with callbacks give the same numbers as fields with built-in operations, with both backends.
@Suite struct CallbackTests {
  static let dimension = 3
  static let count = 37
  /// The bounds of `AgreementTests`, for a solve of 8 steps with a network of two layers.
  static let ulps = 2_000.0
  static let gradientUlps = 20_000.0
  static let traces = [Trace.none, .exactTangents, .hutchinson]

  static func solver(
    _ program: FieldProgram, _ trace: Trace, _ backend: Backend, control: StepControl = .fixed(steps: 8),
    probes: Int = 3, threads: Int = 2
  ) throws -> any FieldSolver<Double> {
    let method = if case .fixed = control { "rk4" } else { "dopri5" }
    return try makeSolver(
      program: program, options: Fixtures.options(method, control, trace: trace, probes: probes, threads: threads),
      backend: backend)
  }

  static func problem(_ program: FieldProgram, samples: Range<Int> = 0..<count) -> SolveProblem<Double> {
    let states: [Double] = Fixtures.normals(count * dimension, seed: 92)
    return SolveProblem(
      parameters: Fixtures.normals(program.parameterCount, seed: 91, scale: 0.5),
      states: Array(states[samples.lowerBound * dimension..<samples.upperBound * dimension]), from: 0.25, to: 1.25,
      seed: 3, sampleIdentifiers: samples.map { UInt64($0) })
  }

  private func expectSame(_ a: Gradient<Double>, _ b: Gradient<Double>) {
    #expect(largestDifference(a.solution.states, b.solution.states) < Self.ulps)
    #expect(largestDifference(a.solution.logDeterminants, b.solution.logDeterminants) < Self.ulps)
    #expect(largestDifference(a.parameters, b.parameters) < Self.gradientUlps)
    #expect(largestDifference(a.states, b.states) < Self.gradientUlps)
    #expect(largestDifference(a.startTimes, b.startTimes) < Self.gradientUlps)
    #expect(largestDifference(a.endTimes, b.endTimes) < Self.gradientUlps)
    #expect(a.solution.statuses == b.solution.statuses)
  }

  @Test(arguments: traces, Backend.allCases)
  func aCallbackEqualsTheLayerItReplaces(trace: Trace, backend: Backend) throws {
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1.0 / Double(Self.count))
    let gradients = try [false, true].map { asCallback in
      let program = Callbacks.residualNet(dimension: Self.dimension, width: 5, asCallback: asCallback)
      return try Self.solver(program, trace, backend).gradient(of: loss, at: Self.problem(program))
    }
    expectSame(gradients[0], gradients[1])
  }

  @Test(arguments: traces) func bothBackendsAgree(trace: Trace) throws {
    let program = Callbacks.residualNet(dimension: Self.dimension, width: 5, asCallback: true)
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1)
    let gradients = try Backend.allCases.map {
      try Self.solver(program, trace, $0).gradient(of: loss, at: Self.problem(program))
    }
    expectSame(gradients[0], gradients[1])
    let evaluations = try Backend.allCases.map { try Self.solver(program, trace, $0).evaluate(Self.problem(program)) }
    #expect(largestDifference(evaluations[0].velocities, evaluations[1].velocities) < Self.ulps)
    #expect(largestDifference(evaluations[0].divergences, evaluations[1].divergences) < Self.ulps)
  }

  @Test(arguments: Backend.allCases) func resultsDoNotDependOnOtherSamples(backend: Backend) throws {
    let program = Callbacks.residualNet(dimension: Self.dimension, width: 5, asCallback: true)
    let control = StepControl.perSample(rtol: 1e-6, atol: 1e-6)
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1)
    let whole = try Self.solver(program, .exact, backend, control: control, threads: 1)
      .gradient(of: loss, at: Self.problem(program))
    for samples in [0..<1, 5..<7, 11..<16, 20..<37] {
      let part = try Self.solver(program, .exact, backend, control: control)
        .solve(Self.problem(program, samples: samples))
      let rows = samples.lowerBound * Self.dimension..<samples.upperBound * Self.dimension
      #expect(bits(part.states) == bits(Array(whole.solution.states[rows])))
      #expect(bits(part.logDeterminants) == bits(Array(whole.solution.logDeterminants[samples])))
      #expect(part.evaluations == Array(whole.solution.evaluations[samples]))
    }
    for threads in 2...4 {
      let again = try Self.solver(program, .exact, backend, control: control, threads: threads)
        .gradient(of: loss, at: Self.problem(program))
      #expect(bits(again.parameters) == bits(whole.parameters))
      #expect(bits(again.states) == bits(whole.states))
    }
  }

  @Test(arguments: Backend.allCases, [StepControl.perSample(rtol: 1e-6, atol: 1e-6), .fixed(steps: 9)])
  func aFailedLaneDoesNotAffectOthers(backend: Backend, control: StepControl) throws {
    let program = Callbacks.field(2, Callbacks.failing)
    var problem = SolveProblem<Double>(parameters: [], states: (0..<20).map { 0.05 * Double($0) }, from: 0, to: 2)
    let solver = try Self.solver(program, .none, backend, control: control)
    let allOk = try solver.solve(problem)
    problem.states[9] = 2
    let oneFailed = try solver.solve(problem)
    #expect(allOk.statuses.allSatisfy { $0 == .ok })
    for sample in 0..<10 where sample != 4 {
      #expect(oneFailed.statuses[sample] == .ok)
      #expect(
        bits(Array(oneFailed.states[2 * sample..<2 * sample + 2]))
          == bits(Array(allOk.states[2 * sample..<2 * sample + 2])))
    }
    #expect(oneFailed.statuses[4] == .notFinite && oneFailed.timesReached[4] <= 0.5 + 2.0 / 9)
    #expect(oneFailed.evaluations[4] < 1_000)
  }

  /// Programs with the same callback are equal; a callback with the same name and functions is another one.
  @Test func callbacksAreEqualIfTheyAreTheSame() throws {
    let (first, second) = (Callbacks.tanhLayer(rows: 2, columns: 2), Callbacks.tanhLayer(rows: 2, columns: 2))
    #expect(first.name == second.name && first != second)
    #expect(Callbacks.field(2, first) == Callbacks.field(2, first))
    #expect(Callbacks.field(2, first) != Callbacks.field(2, second))
  }

  /// If a callback lacks a function that a call needs, the call is refused before it runs, and the error names the
  /// function.
  @Test func missingFunctionsAreNamed() throws {
    let whole = try #require(Callbacks.tanhLayer(rows: 2, columns: 2).double)
    func program(_ functions: FieldCallback.Functions<Double>) -> FieldProgram {
      Callbacks.field(2, FieldCallback(name: "half a layer", parameterCount: 8, double: functions))
    }
    let problem = SolveProblem<Double>(parameters: Array(repeating: 0.1, count: 8), states: [1, 2], from: 0, to: 1)
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1)
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return "nothing thrown"
    }
    let cases: [(FieldCallback.Functions<Double>, String, Trace)] = [
      (.init(evaluate: whole.evaluate), "tangent", .exact),
      (.init(evaluate: whole.evaluate), "reverse", .none),
      (.init(evaluate: whole.evaluate, tangent: whole.tangent), "reverse", .exact),
      (.init(evaluate: whole.evaluate, tangent: whole.tangent, reverse: whole.reverse), "tangent", .exact),
    ]
    for backend in Backend.allCases {
      for (functions, missing, trace) in cases {
        let text = message {
          _ = try Self.solver(program(functions), trace, backend).gradient(of: loss, at: problem)
        }
        #expect(text.contains("half a layer") && text.contains(missing), "\(text)")
      }
      let text = message {
        _ = try makeSolver(
          program: program(whole), options: SolverOptions(method: "rk4", control: .fixed(steps: 1)), backend: backend,
          scalar: Float.self)
      }
      #expect(text.contains("half a layer") && text.contains("Float"), "\(text)")
    }
  }

  /// The objects that callbacks capture live as long as the solver.
  @Test func solversRetainTheirCallbacks() throws {
    final class Rate: Sendable {
      let value: Double
      init(_ value: Double) { self.value = value }
    }
    weak var kept: Rate?
    func makeSolver() throws -> KernelSolver<Double> {
      let rate = Rate(-0.5)
      kept = rate
      let decay = FieldCallback(
        name: "decay",
        double: .init { _, _, x, _, y in for index in 0..<x.count { y[index] = rate.value * x[index] } })
      return try KernelSolver(
        program: Callbacks.field(1, decay),
        options: Fixtures.options("dopri5", .perSample(rtol: 1e-9, atol: 1e-9), trace: .none))
    }
    var solver: KernelSolver<Double>? = try makeSolver()
    #expect(kept != nil)
    let states = try #require(solver).solve(SolveProblem(parameters: [], states: [1], from: 0, to: 2)).states
    // The error of e^-1 is at most the tolerance times the few steps.
    #expect(abs(states[0] - 0.36787944117144233) < 1e-7)
    solver = nil
    #expect(kept == nil)
  }

  @Test func layoutsCountCallbacks() {
    let program = Callbacks.residualNet(dimension: 3, width: 5, asCallback: true)
    #expect(program.linearLayouts.map(\.weightOffset) == [0, 12 + 25])
    #expect(program.callbackLayouts.map(\.offset) == [12])
    #expect(program.callbackLayouts.map(\.columns) == [3])
    #expect(program.parameterCount == 12 + 25 + 18)
  }

  /// A callback gets the time as a Double, also in a solve in Float: `y′ = cos t` far from t = 0, in both directions.
  @Test(arguments: [Backend.c, .swift], [false, true])
  func timesAreDoubles(backend: Backend, runsBackward: Bool) throws {
    let wave = FieldCallback(
      name: "wave", float: .init { lanes, t, _, _, y in for lane in 0..<lanes { y[lane] = Float(cos(t[lane])) } })
    var (start, end) = (1e6, 1e6 + 1)
    if runsBackward { swap(&start, &end) }
    let solver: any FieldSolver<Float> = try makeSolver(
      program: Callbacks.field(1, wave),
      options: Fixtures.options("dopri5", .perSample(rtol: 1e-5, atol: 1e-5), trace: .none), backend: backend)
    let result = try solver.solve(SolveProblem(parameters: [], states: [0], from: start, to: end))
    // Two tolerances.
    #expect(abs(Double(result.states[0]) - (sin(end) - sin(start))) < 2e-5)
  }
}
