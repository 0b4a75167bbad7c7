import NeuralODE
import PureSwift
import Testing

/// Samples with their own start and end times in one problem: forward in time, backward, or with an empty interval.
@Suite struct SpanTests {
  private static let count = 37
  private static let program = Fixtures.net(2, [6], .tanh)
  private static let regularisation = Regularisation(kineticEnergy: 0.4, frobeniusNorm: 0.3)

  private static func problem() -> SolveProblem<Double> {
    let lengths: [Double] = Fixtures.normals(count, seed: 5)
    let starts: [Double] = Fixtures.normals(count, seed: 6)
    let ends = starts.indices.map { $0 % 3 == 2 ? starts[$0] : starts[$0] + lengths[$0] }
    return SolveProblem(
      parameters: Fixtures.parameters(for: program, seed: 3), states: Fixtures.normals(2 * count, seed: 4),
      from: .nan, to: .nan, seed: 9, sampleIdentifiers: (0..<UInt64(count)).map { 2 * $0 }, startTimes: starts,
      endTimes: ends)
  }

  /// A problem with only sample `number` of `whole`, whose times are the common times of the problem.
  private static func alone(_ number: Int, of whole: SolveProblem<Double>) -> SolveProblem<Double> {
    SolveProblem(
      parameters: whole.parameters, states: Array(whole.states[2 * number..<2 * number + 2]),
      from: whole.startTime(of: number), to: whole.endTime(of: number), seed: whole.seed,
      sampleIdentifiers: whole.sampleIdentifiers.map { [$0[number]] }, stepFractions: whole.stepFractions)
  }

  private static func check<Solver: FieldSolver<Double>>(
    _ solver: Solver, differentiates: Bool, _ problem: SolveProblem<Double> = problem()
  ) throws {
    let name = "\(Solver.self) \(solver.options.method) \(solver.options.control)"
    let regularisation = differentiates ? Self.regularisation : .none
    func run(_ problem: SolveProblem<Double>) throws -> Gradient<Double> {
      if differentiates {
        return try solver.gradient(
          of: .standardNormalNegativeLogLikelihood(scale: 1), regularisation: regularisation, at: problem)
      }
      let solution = try solver.solve(problem)
      return Gradient(parameters: [], states: [], startTimes: [], endTimes: [], losses: [], solution: solution)
    }
    let whole = try run(problem)
    #expect(whole.solution.firstFailure == nil, "\(name)")
    for number in 0..<count {
      let one = try run(alone(number, of: problem))
      let (all, own) = (whole.solution, one.solution)
      #expect(bits(Array(all.states[2 * number..<2 * number + 2])) == bits(own.states), "\(name), \(number)")
      let pairs = [
        (all.logDeterminants, own.logDeterminants), (all.kineticEnergies, own.kineticEnergies),
        (all.frobeniusNorms, own.frobeniusNorms), (all.timesReached, own.timesReached),
        (all.smallestSteps, own.smallestSteps), (whole.startTimes, one.startTimes), (whole.endTimes, one.endTimes),
        (whole.losses, one.losses),
      ]
      for (index, (all, own)) in pairs.enumerated() where !own.isEmpty {
        #expect(bits([all[number]]) == bits(own), "\(name), \(number), array \(index)")
      }
      #expect(all.acceptedSteps[number] == own.acceptedSteps[0] && all.evaluations[number] == own.evaluations[0])
      #expect(all.timesReached[number] == problem.endTime(of: number))
      if differentiates {
        #expect(bits(Array(whole.states[2 * number..<2 * number + 2])) == bits(one.states), "\(name), \(number)")
      }
    }
  }

  /// Every method with both backends.
  @Test(arguments: Methods.all.map(\.name), [StepControl.fixed(steps: 4), .perSample(rtol: 1e-4, atol: 1e-4)])
  func resultsDoNotDependOnOtherSamples(method: String, control: StepControl) throws {
    let tableau = try Methods.named(method)
    if control != .fixed(steps: 4) && !tableau.isAdaptive { return }
    let trace = tableau.family == .rosenbrock ? Trace.exactTangents : .hutchinson
    let options = Fixtures.options(method, control, trace: trace, regularisation: Self.regularisation)
    let isRungeKutta = tableau.family == .rungeKutta
    try Self.check(
      try KernelSolver<Double>(program: Self.program, options: options), differentiates: tableau.hasDiscreteGradient)
    guard TwinTests.hasTwin(tableau) else { return }
    try Self.check(
      try PureSwiftSolver<Double>(
        program: Self.program, options: options, tableau: tableau,
        startingTableau: try Methods.named(PureSwiftSolver<Double>.startingMethod)), differentiates: isRungeKutta)
  }

  /// Step fractions divide the time interval of each sample.
  @Test func fractionsDivideEachInterval() throws {
    let options = Fixtures.options("rk4", .fixed(steps: 1), trace: .hutchinson, regularisation: Self.regularisation)
    var problem = Self.problem()
    problem.stepFractions = [0, 0.2, 0.7, 1]
    try Self.check(try KernelSolver<Double>(program: Self.program, options: options), differentiates: true, problem)
    let swift = try PureSwiftSolver<Double>(
      program: Self.program, options: options, tableau: try Methods.named("rk4"))
    try Self.check(swift, differentiates: true, problem)
  }

  /// The bounds are those of `AgreementTests`, whose solves are longer.
  @Test(arguments: [Trace.none, .hutchinson, .exactTangents, .exactProduct])
  func backendsAgree(trace: Trace) throws {
    let regularisation = Self.regularisation.fits(trace) ? Self.regularisation : Regularisation(kineticEnergy: 0.4)
    for control in [StepControl.fixed(steps: 6), .perSample(rtol: 1e-5, atol: 1e-5)] {
      let options = Fixtures.options("dopri5", control, trace: trace, regularisation: regularisation)
      let c = try KernelSolver<Double>(program: Self.program, options: options)
      let swift = try PureSwiftSolver<Double>(
        program: Self.program, options: options, tableau: try Methods.named("dopri5"))
      let problem = Self.problem()
      let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1)
      let a = try c.gradient(of: loss, regularisation: regularisation, at: problem)
      let b = try swift.gradient(of: loss, regularisation: regularisation, at: problem)
      #expect(a.solution.acceptedSteps == b.solution.acceptedSteps)
      // The length of an adaptive step depends on its estimated error, so rounding of the error changes the state by a
      // fraction of the tolerance.
      let ulps = control == .fixed(steps: 6) ? 20_000.0 : 1e7
      for (one, other) in [
        (a.solution.states, b.solution.states), (a.solution.logDeterminants, b.solution.logDeterminants),
        (a.solution.kineticEnergies, b.solution.kineticEnergies),
        (a.solution.frobeniusNorms, b.solution.frobeniusNorms), (a.parameters, b.parameters), (a.states, b.states),
        (a.startTimes, b.startTimes), (a.endTimes, b.endTimes), (a.losses, b.losses),
      ] {
        let difference = largestDifference(one, other)
        #expect(difference < ulps, "\(trace), \(control): \(difference) ulp")
      }
      let (first, second) = (try c.evaluate(problem), try swift.evaluate(problem))
      #expect(largestDifference(first.velocities, second.velocities) < 200)
      #expect(largestDifference(first.divergences, second.divergences) < 200)
    }
  }

  /// Output times of each sample.
  @Test func ownOutputTimes() throws {
    let solver = try KernelSolver<Double>(
      program: Self.program, options: Fixtures.options("dopri5", .perSample(rtol: 1e-4, atol: 1e-4)))
    var problem = Self.problem()
    let times = (0..<Self.count).flatMap { number in
      [0.25, 0.5].map {
        problem.startTime(of: number) + $0 * (problem.endTime(of: number) - problem.startTime(of: number))
      }
    }
    problem.sampleOutputTimes = times
    let bars: [Double] = Fixtures.normals(Self.count * 4, seed: 8)
    let zeros = [Double](repeating: 0, count: 2 * Self.count)
    let whole = try solver.gradient(
      of: .cotangents(states: zeros, logDeterminants: Array(zeros[..<Self.count]), statesAtTimes: bars), at: problem)
    #expect(whole.solution.statesAtTimes.count == Self.count * 4 && whole.outputTimes.count == Self.count * 2)
    for number in 0..<Self.count {
      var one = Self.alone(number, of: problem)
      one.outputTimes = Array(times[2 * number..<2 * number + 2])
      let own = try solver.gradient(
        of: .cotangents(
          states: [0, 0], logDeterminants: [0], statesAtTimes: Array(bars[4 * number..<4 * number + 4])), at: one)
      #expect(Array(whole.solution.statesAtTimes[4 * number..<4 * number + 4]) == own.solution.statesAtTimes)
      #expect(Array(whole.outputTimes[2 * number..<2 * number + 2]) == own.outputTimes)
      #expect(Array(whole.states[2 * number..<2 * number + 2]) == own.states)
    }
  }

  @Test func refusals() throws {
    let batch = try KernelSolver<Double>(
      program: Self.program, options: Fixtures.options("dopri5", .batch(rtol: 1e-4, atol: 1e-4)))
    #expect(throws: KernelError.self) { try batch.solve(Self.problem()) }
    let options = Fixtures.options("rk4", .fixed(steps: 2))
    let c = try KernelSolver<Double>(program: Self.program, options: options)
    let swift = try PureSwiftSolver<Double>(
      program: Self.program, options: options, tableau: try Methods.named("rk4"))
    var problem = Self.problem()
    problem.endTimes?[7] = .infinity
    #expect(throws: KernelError.self) { try c.solve(problem) }
    #expect(throws: PureSwiftError.timeNotFinite(.infinity)) { try swift.solve(problem) }
    problem = Self.problem()
    problem.startTimes?.removeLast()
    #expect(throws: PureSwiftError.wrongLength(array: "startTimes", actual: 36, expected: 37)) {
      try swift.solve(problem)
    }
    problem = Self.problem()
    problem.sampleOutputTimes = problem.startTimes
    #expect(throws: Never.self) { try c.solve(problem) }
    #expect(throws: Never.self) { try swift.solve(problem) }
    let before = problem.endTime(of: 0) < problem.startTime(of: 0) ? 0.1 : -0.1
    problem.sampleOutputTimes?[0] += before
    #expect(throws: KernelError.self) { try c.solve(problem) }
  }
}
