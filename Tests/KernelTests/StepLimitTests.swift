import NeuralODE
import PureSwift
import Testing

/// Limits of step sizes and tolerances, where C and PureSwift must decide in the same way.
@Suite struct StepLimitTests {
  private func both(
    _ program: FieldProgram, _ problem: SolveProblem<Double>, _ change: (inout SolverOptions) -> Void
  ) throws -> (c: Solution<Double>, swift: Solution<Double>) {
    var options = Fixtures.options("dopri5", .perSample(rtol: 1e-6, atol: 1e-6), trace: .none)
    change(&options)
    let swift = try PureSwiftSolver<Double>(program: program, options: options, tableau: try Methods.named("dopri5"))
    return (
      try KernelSolver<Double>(program: program, options: options).solve(problem), try swift.solve(problem)
    )
  }

  private func expectEqual(_ solutions: (c: Solution<Double>, swift: Solution<Double>)) {
    #expect(solutions.c.statuses == solutions.swift.statuses)
    #expect(solutions.c.acceptedSteps == solutions.swift.acceptedSteps)
    #expect(solutions.c.rejectedSteps == solutions.swift.rejectedSteps)
    #expect(solutions.c.evaluations == solutions.swift.evaluations)
  }

  /// With a relative tolerance only, a component that is exactly 0 has the tolerance 0. It must not fail or divide by
  /// 0.
  @Test(arguments: [(1e-5, 0.0), (0.0, 1e-160)])
  func zerosDoNotNeedAnAbsoluteTolerance(rtol: Double, atol: Double) throws {
    let program = Fixtures.linearField(2)
    let parameters = [0.5, 0, 0, -0.5, 0, 0]
    let solutions = try both(
      program, SolveProblem(parameters: parameters, states: [0, 0.3, 1, 0, 0, 0], from: 0, to: 1)
    ) {
      $0.control = .perSample(rtol: rtol, atol: atol)
      $0.maximumSteps = 60
    }
    if rtol > 0 { #expect(solutions.c.statuses == [.ok, .ok, .ok]) }
    #expect(solutions.c.statuses.allSatisfy { $0 != .notFinite })
    #expect(solutions.c.statuses == solutions.swift.statuses)
    #expect(solutions.c.states[0] == 0 && solutions.c.states[3] == 0)
  }

  /// x' = 1 over an interval whose ends differ by few units in the last place. The state must change by as much as the
  /// time.
  @Test(arguments: [(1e16, 2.0), (1e12, 0x1p-10), (-1e12, 0x1p-8), (1e6, 1.0)])
  func stateChangesAsMuchAsTime(start: Double, span: Double) throws {
    let solutions = try both(
      Fixtures.linearField(1), SolveProblem(parameters: [0, 1], states: [0], from: start, to: start + span)
    ) { _ in }
    for solution in [solutions.c, solutions.swift] {
      #expect(solution.statuses == [.ok])
      // The state is a sum of steps, each of which is the difference of two times and rounded once.
      #expect(abs(solution.states[0] - span) < 1e-12 * span, "\(solution.states[0])")
    }
    expectEqual(solutions)
  }

  @Test func minimumStepFailsSamplesAndLimitsTheFirstStep() throws {
    let program = Fixtures.net(2, [16, 16], .tanh)
    let problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 101, gain: 3), states: Fixtures.normals(2 * 50, seed: 102),
      from: 0, to: 1)
    for least in [1e-3, 0.03, 0.1, 0.5] {
      for initial in [nil, 1e-3, 0.7] {
        let solutions = try both(program, problem) {
          $0.minimumStep = least
          $0.initialStep = initial
        }
        expectEqual(solutions)
        if least == 0.1 { #expect(solutions.c.statuses.contains(.stepTooSmall)) }
      }
    }
    let solver = try KernelSolver<Double>(
      program: program,
      options: SolverOptions(control: .perSample(rtol: 1e-1, atol: 1e-1), initialStep: 1e-3, minimumStep: 0.25))
    for fractions in try solver.acceptedStepFractions(problem) {
      for (from, to) in zip(fractions.dropLast(), fractions.dropFirst().dropLast()) { #expect(to - from >= 0.25) }
    }
  }

  /// An empty interval has derivatives by its ends: dL/dt1 = L′·f + dL/d(log-determinant) · divergence, and dL/dt0 =
  /// −dL/dt1.
  @Test(arguments: [StepControl.perSample(rtol: 1e-5, atol: 1e-5), .fixed(steps: 3), .batch(rtol: 1e-5, atol: 1e-5)])
  func anEmptyIntervalHasAGradient(control: StepControl) throws {
    let program = Fixtures.net(2, [8, 8], .tanh)
    let solver = try KernelSolver<Double>(program: program, options: Fixtures.options("dopri5", control))
    let problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 103), states: Fixtures.normals(6, seed: 104), from: 0.5,
      to: 0.5)
    let (velocities, divergences) = try solver.evaluate(problem)
    let bars: [Double] = Fixtures.normals(6, seed: 105)
    let logBars = [1.0, -2, 0.5]
    let gradient = try solver.gradient(of: .cotangents(states: bars, logDeterminants: logBars), at: problem)
    #expect(gradient.solution.states == problem.states && gradient.states == bars)
    for sample in 0..<3 {
      let expected =
        bars[2 * sample] * velocities[2 * sample] + bars[2 * sample + 1] * velocities[2 * sample + 1]
        + logBars[sample] * divergences[sample]
      // Each of three fixed steps of length 0 has a third of it, with about a dozen roundings.
      #expect(abs(gradient.endTimes[sample] - expected) < 1e-14 * 16, "\(control)")
      #expect(abs(gradient.startTimes[sample] + expected) < 1e-14 * 16, "\(control)")
    }
  }

  /// Idle lanes add exactly 0 to gradients, also if the field overflows at the origin.
  @Test(arguments: instructionSets, [1, 33])
  func idleLanesDoNotOverflow(isa: InstructionSet, count: Int) throws {
    var program = FieldProgram(stateDimension: 1)
    let hidden = program.append(.linear(input: .state, rows: 1, activation: .relu))
    program.append(.linear(input: hidden, rows: 1, activation: .identity))
    let solver = try KernelSolver<Float>(
      program: program, options: Fixtures.options("rk4", .fixed(steps: 2), trace: .none), isa: isa)
    // ReLU(3e38 − 3e38 x) is 0 for samples at x ≥ 1 and 3e38 at the origin, where times 10 it overflows.
    let problem = SolveProblem<Float>(
      parameters: [-3e38, 3e38, 10, 0.25], states: (0..<count).map { 1 + Float($0) / 8 }, from: 0, to: 1)
    let gradient = try solver.gradient(
      of: .cotangents(
        states: Array(repeating: 1, count: count), logDeterminants: Array(repeating: 0, count: count)), at: problem)
    #expect(gradient.solution.statuses.allSatisfy { $0 == .ok })
    #expect(gradient.parameters == [0, 0, 0, Float(count)])
  }

  /// The message names the option and its value, as the C library does.
  @Test func refusalsNameTheOption() throws {
    let program = Fixtures.net(2, [4], .tanh)
    var options = SolverOptions(initialStep: -0.5)
    let first = #expect(throws: KernelError.self) { try KernelSolver<Float>(program: program, options: options) }
    #expect("\(first as Any)".contains("initial_step is -0.5"))
    options = SolverOptions(minimumStep: 0.5, maximumStep: 0.25)
    let longest = #expect(throws: KernelError.self) { try KernelSolver<Float>(program: program, options: options) }
    #expect("\(longest as Any)".contains("max_step is 0.25, and must be at least min_step, which is 0.5"))
  }

  @Test func keysBeyondTheirRangeAreRefused() throws {
    let program = Fixtures.net(2, [4], .tanh)
    let solver = try KernelSolver<Float>(
      program: program, options: Fixtures.options("rk4", .fixed(steps: 1), trace: .hutchinson))
    var problem = SolveProblem<Float>(
      parameters: Fixtures.parameters(for: program, seed: 1), states: [1, 2], from: 0, to: 1,
      sampleIdentifiers: [1 << 44])
    #expect(throws: KernelError.self) { try solver.solve(problem) }
    problem.sampleIdentifiers = [1 << 44 - 1]
    problem.step = 1 << 44
    #expect(throws: KernelError.self) { try solver.solve(problem) }
    problem.step = 1 << 44 - 1
    #expect(try solver.solve(problem).statuses == [.ok])
  }
}
