import NeuralODE
import PureSwift
import Testing

/// Compares both backends: output times, the continuous adjoint, Adams and Rosenbrock methods. Steps are the same, and
/// other numbers differ by rounding only.
@Suite struct TwinTests {
  static let dimension = 3
  static let count = 37
  private static let traces: [(Trace, Int)] = [(.none, 1), (.hutchinson, 3), (.exactTangents, 1), (.exactProduct, 1)]

  struct Case: CustomTestStringConvertible {
    let method: String
    let control: StepControl
    let trace: Trace
    var probes = 1
    var regularisation = Regularisation.none
    var program = Fixtures.net(TwinTests.dimension, [13, 11], .tanh)
    var order = 12
    var name: String {
      "\(method) of order \(order), \(control), \(trace), \(regularisation), \(program.operations.count) operations"
    }
    var testDescription: String { name }

    func options(_ adjoint: AdjointSchedule = .everyStep) -> SolverOptions {
      var options = Fixtures.options(
        method, control, trace: trace, probes: probes, regularisation: regularisation)
      options.adjoint = adjoint
      options.maximumOrder = order
      return options
    }
  }

  /// Every method with one trace, every trace with two methods, regularisers, and a program with many operations.
  private static func cases(_ methods: [ButcherTableau], _ control: StepControl) -> [Case] {
    let names = methods.map(\.name)
    let cases =
      names.map { Case(method: $0, control: control, trace: .hutchinson, probes: 1) }
      + names.suffix(2).flatMap { name in
        traces.flatMap { trace, probes in
          ([Regularisation.none] + regularisations.suffix(1)).filter { $0.fits(trace) }.map {
            Case(method: name, control: control, trace: trace, probes: probes, regularisation: $0)
          }
        }
      }
    return cases + [
      Case(
        method: names[names.count - 1], control: control, trace: .exactTangents,
        program: Fixtures.everyOperation(dimension, .silu))
    ]
  }

  static let fixed = cases(Methods.rungeKutta, .fixed(steps: 4))
  static let adaptive = cases(
    Methods.rungeKutta.filter { $0.isAdaptive && $0.order > 2 }, .perSample(rtol: 1e-6, atol: 1e-6))

  private static func problem<Scalar: FlowScalar>(
    _ program: FieldProgram, times: [Double] = []
  ) -> SolveProblem<Scalar> {
    SolveProblem(
      parameters: Fixtures.parameters(for: program, seed: 61, gain: 1.5),
      states: Fixtures.normals(count * dimension, seed: 62), from: 1, to: 0, seed: 3, step: 5, outputTimes: times)
  }

  /// Cotangents at the end and at `times` output times, all different.
  static func loss<Scalar: FlowScalar>(times: Int) -> Loss<Scalar> {
    .cotangents(
      states: Fixtures.normals(count * dimension, seed: 63), logDeterminants: Fixtures.normals(count, seed: 64),
      statesAtTimes: Fixtures.normals(count * times * dimension, seed: 65),
      logDeterminantsAtTimes: Fixtures.normals(count * times, seed: 66))
  }

  private func compare<Scalar: FlowScalar>(
    _ test: Case, _ adjoint: AdjointSchedule, times: [Double], _ bounds: Twins<Scalar>.Bounds
  ) throws {
    let twins = try Twins<Scalar>(test.program, test.options(adjoint))
    try twins.expectEqualGradients(
      of: Self.loss(times: times.count), test.regularisation, at: Self.problem(test.program, times: times), bounds,
      test.name)
  }

  // MARK: Output times

  /// The output times: the start, one time twice, another time, one close to the end, and the end.
  private static let times = [1, 0.7, 0.7, 0.31, 1e-3, 0]

  @Test(arguments: fixed) func outputTimesOfFixedSteps(test: Case) throws {
    try compare(test, .everyStep, times: Self.times, Twins<Double>.Bounds.fixed)
    try compare(test, .everyStep, times: Self.times, Twins<Float>.Bounds.fixed)
  }

  @Test(arguments: adaptive) func outputTimesOfAdaptiveSteps(test: Case) throws {
    try compare(test, .everyStep, times: Self.times, Twins<Double>.Bounds.adaptive(tolerance: 1e-6))
  }

  @Test func emptyIntervals() throws {
    for test in [Self.fixed[6], Self.adaptive[0]] {
      let twins = try Twins<Double>(test.program, test.options())
      var problem: SolveProblem<Double> = Self.problem(test.program, times: [1, 1])
      problem.endTime = 1
      let loss: Loss<Double> = Self.loss(times: 2)
      let a = try twins.c.gradient(of: loss, at: problem)
      let b = try twins.swift.gradient(of: loss, at: problem)
      #expect(a.solution.statesAtTimes == b.solution.statesAtTimes)
      #expect(a.parameters == b.parameters && a.states == b.states)
      for (a, b) in zip(a.endTimes + a.startTimes + a.outputTimes, b.endTimes + b.startTimes + b.outputTimes) {
        #expect(abs(a - b) <= 1e-14 * 100 && a != 0)  // A hundred products of numbers of size 1.
      }
    }
  }

  // MARK: The continuous adjoint

  @Test(arguments: fixed) func continuousAdjointOfFixedSteps(test: Case) throws {
    try compare(test, .continuous(), times: [], Twins<Double>.Bounds.fixed)
    try compare(test, .continuous(), times: [], Twins<Float>.Bounds.fixed)
  }

  @Test(arguments: adaptive, [AdjointSchedule.continuous(), .continuous(rtol: 1e-4, atol: 1e-5)])
  func continuousAdjointOfAdaptiveSteps(test: Case, adjoint: AdjointSchedule) throws {
    try compare(test, adjoint, times: [], Twins<Double>.Bounds.adaptive(tolerance: 1e-6))
  }

  // MARK: Adams methods

  static let adams: [Case] = ["explicit_adams", "implicit_adams"].flatMap { name in
    [1, 4, 5, 12].map {
      Case(method: name, control: .fixed(steps: 30), trace: .hutchinson, probes: 1, order: $0)
    }
      + traces.flatMap { trace, probes in
        ([Regularisation.none] + regularisations.suffix(1)).filter { $0.fits(trace) }.map {
          Case(
            method: name, control: .fixed(steps: 30), trace: trace, probes: probes, regularisation: $0, order: 6)
        }
      }
  }

  @Test(arguments: adams) func adamsMethods(test: Case) throws {
    // In a formula of 12 slopes the absolute values of the weights add up to 2⁸ times their sum, and so do rounding
    // errors.
    let factor = test.order == 12 ? 256.0 : 1
    try compare(test, factor, Double.self)
    try compare(test, factor, Float.self)
  }

  private func compare<Scalar: FlowScalar>(_ test: Case, _ factor: Double, _: Scalar.Type) throws {
    let bounds = Twins<Scalar>.Bounds(
      state: factor * Twins<Scalar>.Bounds.fixed.state, gradient: factor * Twins<Scalar>.Bounds.fixed.gradient)
    let problem: SolveProblem<Scalar> = Self.problem(test.program)
    let twins = try Twins<Scalar>(test.program, test.options())
    try twins.expectEqualSolutions(problem, bounds, test.name)
    // In Float the change of an iteration may be within rounding of the tolerance, so one backend may find it below and
    // the other above.
    let (a, b) = try (twins.c.solve(problem), twins.swift.solve(problem))
    if Scalar.self == Double.self { #expect(a.evaluations == b.evaluations, "\(test.name)") }
    try compare(test, .continuous(), times: [], bounds)
  }

  /// Iterations that do not converge are counted for each sample, and lower the order of the sample's formula.
  @Test func iterationsThatDoNotConverge() throws {
    let test = Case(method: "implicit_adams", control: .fixed(steps: 8), trace: .exactTangents, order: 5)
    let problem: SolveProblem<Double> = Self.problem(test.program)
    var mixed = 0
    for tolerance in [1e-4, 1e-5, 1e-6, 1e-7, 1e-8] {
      var options = test.options()
      options.iterationRtol = tolerance
      options.iterationAtol = tolerance
      let twins = try Twins<Double>(test.program, options)
      try twins.expectEqualSolutions(problem, .fixed, "tolerance \(tolerance)")
      if Set(try twins.swift.solve(problem).rejectedSteps).count > 1 { mixed += 1 }
    }
    #expect(mixed > 0)
  }

  // MARK: Rosenbrock methods

  static let rosenbrock: [Case] = [.fixed(steps: 8), .perSample(rtol: 1e-6, atol: 1e-6)].flatMap { control in
    [Trace.none, .exactTangents].flatMap { trace in
      [
        Fixtures.net(dimension, [13, 11], .tanh), Fixtures.everyOperation(dimension, .silu),
        Fixtures.linearField(dimension),
      ].flatMap { program in
        ([Regularisation.none] + regularisations).filter { $0.fits(trace) }.map {
          Case(method: "rodas4", control: control, trace: trace, regularisation: $0, program: program)
        }
      }
    }
  }

  /// ∂f/∂t is a quotient of differences. Its rounding error in a slope is 4 units of |f| divided by c = 2⁻¹⁰ (in Float
  /// 2⁻⁵): about 4,000 ulp.
  @Test(arguments: rosenbrock) func rosenbrockMethods(test: Case) throws {
    try compareSolves(test, Double.self)
    if case .fixed = test.control { try compareSolves(test, Float.self) }
  }

  private func compareSolves<Scalar: FlowScalar>(_ test: Case, _: Scalar.Type) throws {
    let isAdaptive = test.control == .perSample(rtol: 1e-6, atol: 1e-6)
    let twins = try Twins<Scalar>(test.program, test.options())
    let problem: SolveProblem<Scalar> = Self.problem(test.program)
    try twins.expectEqualSolutions(
      problem, Twins<Scalar>.Bounds(state: isAdaptive ? 2_000_000 : 20_000, gradient: 0), test.name)
    #expect(try twins.c.solve(problem).evaluations == twins.swift.solve(problem).evaluations, "\(test.name)")
  }

  /// The matrix 1/γ − hJ has its largest entries below the diagonal, so its factorisation must swap rows in each lane.
  @Test func pivots() throws {
    let program = Fixtures.linearField(3)
    let matrix = [-1.0, 0, 3, 900, -1000, 0, 0, 5000, -5100]
    let options = Fixtures.options("rodas4", .perSample(rtol: 1e-7, atol: 1e-9), trace: .exact)
    let twins = try Twins<Double>(program, options)
    try twins.expectEqualSolutions(
      SolveProblem(parameters: matrix + [0, 0, 0], states: Fixtures.normals(3 * 40, seed: 9), from: 0, to: 1),
      Twins<Double>.Bounds(state: 2_000_000, gradient: 0), "pivots")
  }

  // MARK: What is refused

  /// Whether PureSwift has the method: all Runge-Kutta, Adams and Rosenbrock methods.
  static func hasTwin(_ method: ButcherTableau) -> Bool {
    switch method.family {
    case .rungeKutta, .explicitAdams, .implicitAdams, .rosenbrock: true
    case .partitioned, .reversible: false
    }
  }

  @Test func methodsWithoutATwinAreRefusedByName() throws {
    let others = Methods.all.filter { !Self.hasTwin($0) }
    #expect(
      others.map(\.name) == ["symplectic_euler", "leapfrog", "position_verlet", "yoshida4", "reversible_heun"])
    for tableau in others {
      #expect(throws: PureSwiftError.noTwin(tableau.name)) {
        try PureSwiftSolver<Double>(
          program: Fixtures.net(2, [4], .tanh),
          options: Fixtures.options(tableau.name, .fixed(steps: 4), trace: .none), tableau: tableau)
      }
    }
  }

  @Test func refusals() throws {
    let program = Fixtures.net(2, [4], .tanh)
    func make(
      _ method: String, _ control: StepControl = .fixed(steps: 4), trace: Trace = .exact,
      _ change: (inout SolverOptions) -> Void = { _ in }
    ) throws -> Twins<Double> {
      var options = Fixtures.options(method, control, trace: trace)
      change(&options)
      return try Twins(program, options)
    }
    #expect(throws: PureSwiftError.noStartingTableau("explicit_adams")) {
      try PureSwiftSolver<Double>(
        program: program, options: Fixtures.options("explicit_adams", .fixed(steps: 4)),
        tableau: try Methods.named("explicit_adams"))
    }
    let unknown = ButcherTableau(
      name: "rodas9", family: .rosenbrock, citation: "", order: 1, embeddedOrder: 0, a: [[0]], b: [1], c: [], e: [],
      isFirstSameAsLast: false)
    #expect(throws: PureSwiftError.unknownRosenbrockMethod("rodas9")) {
      try PureSwiftSolver<Double>(
        program: program, options: Fixtures.options("rodas9", .fixed(steps: 4)), tableau: unknown)
    }
    let problem: SolveProblem<Double> = SolveProblem(
      parameters: Fixtures.parameters(for: program, seed: 1), states: [0, 1], from: 0, to: 1)
    var withTimes = problem
    withTimes.outputTimes = [0.5]
    for name in ["explicit_adams", "implicit_adams", "rodas4"] {
      let twins = try make(name)
      #expect(throws: PureSwiftError.methodHasNoGradient(name)) {
        try twins.swift.gradient(of: .standardNormalNegativeLogLikelihood(scale: 1), at: problem)
      }
      #expect(throws: PureSwiftError.self) { try twins.swift.solve(withTimes) }
    }
    for times in [[1.5], [0.5, 0.4], [-0.1], [.nan]] {
      let twins = try make("rk4")
      withTimes.outputTimes = times
      #expect(throws: PureSwiftError.self) { try twins.swift.solve(withTimes) }
      #expect(throws: KernelError.self) { try twins.c.solve(withTimes) }
    }
    withTimes.outputTimes = [0.5]
    let continuous = try make("rk4") { $0.adjoint = .continuous() }
    #expect(throws: PureSwiftError.self) {
      try continuous.swift.gradient(of: .standardNormalNegativeLogLikelihood(scale: 1), at: withTimes)
    }
    var unequal = problem
    unequal.stepFractions = [0, 0.3, 0.6, 1]
    #expect(throws: PureSwiftError.unequalSteps) { try make("explicit_adams").swift.solve(unequal) }
    #expect(throws: PureSwiftError.traceDoesNotFitMethod(.hutchinson, method: "rodas4")) {
      try PureSwiftSolver<Double>(
        program: program, options: Fixtures.options("rodas4", .fixed(steps: 4), trace: .hutchinson),
        tableau: try Methods.named("rodas4"))
    }
    #expect(throws: PureSwiftError.self) {
      var options = Fixtures.options("dopri5", .fixed(steps: 4))
      options.adjoint = .continuous(rtol: 0)
      _ = try PureSwiftSolver<Double>(program: program, options: options, tableau: try Methods.named("dopri5"))
    }
  }
}
