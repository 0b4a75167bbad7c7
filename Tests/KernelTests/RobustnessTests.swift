import NeuralODE
import Testing

/// Samples that fail in the forward or the backward solve, with every method, backend, step control and adjoint. They
/// get a status after a bounded number of evaluations, and the other samples have the same results as without them.
@Suite struct RobustnessTests {
  private static let maximumSteps = 400
  private static let fixedSteps = 40

  struct Case: CustomTestStringConvertible {
    let method: ButcherTableau
    let backend: Backend
    let control: StepControl
    /// nil for a solve without a gradient.
    let adjoint: AdjointSchedule?
    var testDescription: String { "\(method.name), \(backend), \(control), \(String(describing: adjoint))" }

    /// An upper bound of evaluations. A step evaluates at most its stages, or four iterations and one more for an Adams
    /// method; a Rosenbrock method adds four.
    var mostEvaluations: Int {
      let steps = control == .fixed(steps: fixedSteps) ? fixedSteps : maximumSteps
      return steps * (max(method.stages, 4) + 5) + 2
    }
    var isAdaptive: Bool { control != .fixed(steps: RobustnessTests.fixedSteps) }
  }

  static let cases: [Case] = Methods.all.flatMap { method in
    let controls: [StepControl] =
      [.fixed(steps: fixedSteps)] + (method.isAdaptive ? [.perSample(rtol: 1e-5, atol: 1e-7)] : [])
    return Backend.allCases.filter { $0 == .c || TwinTests.hasTwin(method) }.flatMap { backend in
      controls.flatMap { control in
        adjoints(method, backend).map { Case(method: method, backend: backend, control: control, adjoint: $0) }
      }
    }
  }

  /// The adjoints that the backend has for the method; nil stands for a solve without a gradient.
  private static func adjoints(_ method: ButcherTableau, _ backend: Backend) -> [AdjointSchedule?] {
    switch method.family {
    case .rungeKutta, .partitioned: [nil, .everyStep, .continuous()]
    case .explicitAdams: backend == .c ? [nil, .everyStep, .continuous()] : [nil, .continuous()]
    case .implicitAdams: [nil, .continuous()]
    case .rosenbrock: backend == .c ? [nil, .everyStep, .continuous()] : [nil]
    case .reversible: [nil, .everyStep, .reversible]
    }
  }

  /// Checks one batch of samples of two rows, of which the samples `bad` fail.
  ///
  /// If `mustFail` is false, the samples `bad` may also succeed.
  private func check(
    _ test: Case, _ program: FieldProgram, _ parameters: [Double], states: [Double], to end: Double, bad: Set<Int>,
    mustFail: Bool = true
  ) throws {
    var options = Fixtures.options(
      test.method.name, test.control, trace: .exactTangents, maximumSteps: Self.maximumSteps)
    options.adjoint = test.adjoint ?? .everyStep
    // Explicit formulas of 11 slopes are unstable with steps of 1/40: the terms of a gradient's sum grow, and cancel.
    if test.method.family == .explicitAdams { options.maximumOrder = 5 }
    let solver = try makeSolver(program: program, options: options, backend: test.backend, scalar: Double.self)
    let count = states.count / 2
    let good = (0..<count).filter { !bad.contains($0) }
    let all = try answer(solver, test, parameters, states, end)
    let without = try answer(solver, test, parameters, good.flatMap { states[2 * $0..<2 * $0 + 2] }, end)
    for sample in 0..<count {
      #expect(all.solution.evaluations[sample] <= test.mostEvaluations, "sample \(sample)")
      #expect(all.solution.adjointEvaluations[sample] <= test.mostEvaluations, "sample \(sample)")
    }
    for sample in bad where mustFail {
      #expect(all.solution.statuses[sample] != .ok, "sample \(sample)")
      #expect(all.solution.timesReached[sample].isFinite && all.solution.states[2 * sample].isFinite)
      #expect(all.states.isEmpty || all.states[2 * sample..<2 * sample + 2].allSatisfy { $0 == 0 })
    }
    for (place, sample) in good.enumerated() {
      #expect(all.solution.statuses[sample] == without.solution.statuses[place], "sample \(sample)")
      #expect(all.numbers(of: sample) == without.numbers(of: place), "sample \(sample)")
    }
    guard mustFail else { return }  // Samples that succeed add to the gradient.
    // The sums over samples are in another order, with one rounding for each of about a thousand terms.
    let bound = 1_000.0
    let difference = largestDifference(all.parameters, without.parameters)
    #expect(difference < bound, "parameters: \(difference) ulp")
  }

  private func answer(
    _ solver: any FieldSolver<Double>, _ test: Case, _ parameters: [Double], _ states: [Double], _ end: Double
  ) throws -> Gradient<Double> {
    let problem = SolveProblem<Double>(parameters: parameters, states: states, from: 0, to: end)
    guard test.adjoint != nil else {
      return Gradient(
        parameters: [], states: [], startTimes: [], endTimes: [], losses: [], solution: try solver.solve(problem))
    }
    return try solver.gradient(of: .standardNormalNegativeLogLikelihood(scale: 1), at: problem)
  }

  /// y′ = y² has a pole at t = 1/y(0). The samples 1 and 3 have it at 1 and 0.25, and the others after the end or
  /// never.
  @Test(arguments: cases) func poles(test: Case) throws {
    let program = Callbacks.field(2, Callbacks.square)
    // With fixed steps, a linearly implicit method may pass the pole with finite states, and so may a method with
    // negative weights.
    let hasNegativeWeights = test.method.b.contains { $0 < 0 }
    let passes = (test.method.family == .rosenbrock || hasNegativeWeights) && !test.isAdaptive
    try check(
      test, program, [], states: [0.2, 0.1, 1, 0.3, -2, 0, 4, -1, 0.05, -0.5], to: 2, bad: [1, 3],
      mustFail: !passes)
  }

  /// A network with a Lipschitz constant near 1e8. Samples may fail or not, but each is the same without the first
  /// three.
  @Test(arguments: cases) func steepNets(test: Case) throws {
    let program = Fixtures.net(2, [16], .tanh)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 5).map { 1e4 * $0 }
    try check(
      test, program, parameters, states: Fixtures.normals(2 * 9, seed: 6), to: 1, bad: [0, 1, 2], mustFail: false)
  }

  /// A field that is NaN, with its derivatives, from t = 0.5 on for some samples.
  @Test(arguments: cases) func fieldsThatBecomeNaN(test: Case) throws {
    try check(
      test, Callbacks.field(2, Callbacks.breaking(.everything)), [0.7],
      states: [1, 0, 0.5, 2, -1, 0, 2, 2, 0.3, 1, 1, -1], to: 1, bad: [1, 3])
  }

  /// A field of which only the derivatives become NaN: the forward solve succeeds, and the backward solve fails.
  @Test(arguments: cases.filter { $0.adjoint == .continuous() }) func derivativesThatBecomeNaN(test: Case) throws {
    var alone = test
    let program = Callbacks.field(2, Callbacks.breaking(.reverses))
    let states = [1.0, 0, 0.5, 2, -1, 0, 2, 2, 0.3, 1, 1, -1]
    try check(test, program, [0.7], states: states, to: 1, bad: [1, 3])
    alone = Case(method: test.method, backend: test.backend, control: test.control, adjoint: nil)
    var options = Fixtures.options(test.method.name, test.control, trace: .exactTangents)
    options.adjoint = .continuous()
    let solver = try makeSolver(program: program, options: options, backend: test.backend, scalar: Double.self)
    #expect(try answer(solver, alone, [0.7], states, 1).solution.statuses.allSatisfy { $0 == .ok })
    let gradient = try answer(solver, test, [0.7], states, 1)
    #expect(gradient.losses.allSatisfy(\.isFinite) && gradient.solution.adjointEvaluations[1] == 0)
  }
}

extension Gradient<Double> {
  /// The bits of all results of one sample of two rows.
  fileprivate func numbers(of sample: Int) -> [UInt64] {
    let rows = 2 * sample..<2 * sample + 2
    let counts = [solution.acceptedSteps, solution.rejectedSteps, solution.evaluations, solution.adjointEvaluations]
    return bits(Array(solution.states[rows])) + bits([solution.logDeterminants[sample], solution.timesReached[sample]])
      + counts.map { UInt64($0[sample]) }
      + (states.isEmpty ? [] : bits(Array(states[rows]) + [startTimes[sample], endTimes[sample], losses[sample]]))
  }
}
