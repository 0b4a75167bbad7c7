import FieldPrograms
import PureSwift
import Testing

/// A sample's result has the same bits whatever the other samples and the number of threads.
@Suite struct IndependenceTests {
  static let program = FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [5, 4], activation: .silu)
  static let loss = Loss<Float>.standardNormalNegativeLogLikelihood(scale: 0.5)

  static func problem(count: Int) -> SolveProblem<Float> {
    SolveProblem(
      parameters: Fixtures.normals(program.parameterCount, seed: 40),
      states: Fixtures.normals(count * 2, seed: 41, scale: 2), from: 1, to: 0, seed: 3,
      sampleIdentifiers: (0..<UInt64(count)).map { 100 + $0 })
  }

  static let controls = [StepControl.fixed(steps: 2), .perSample(rtol: 1e-3, atol: 1e-3)]

  static func solver(_ control: StepControl, threads: Int = 1) throws -> PureSwiftSolver<Float> {
    try Fixtures.solver(
      program, control, trace: .hutchinson, tableau: Fixtures.dopri5, threads: threads)
  }

  /// Compares bits, so that NaN equals itself.
  static func bits(_ gradient: Gradient<Float>, _ sample: Int) -> [UInt64] {
    let solution = gradient.solution
    let rows = 2 * sample..<2 * sample + 2
    return (solution.states[rows] + gradient.states[rows]).map { UInt64($0.bitPattern) }
      + [
        solution.logDeterminants[sample], solution.timesReached[sample], gradient.startTimes[sample],
        gradient.endTimes[sample], gradient.losses[sample],
      ].map(\.bitPattern)
      + [
        solution.acceptedSteps[sample], solution.rejectedSteps[sample], solution.evaluations[sample],
        Int(solution.statuses[sample].rawValue),
      ].map { UInt64($0) }
  }

  @Test(arguments: controls) func aloneOrInABatch(_ control: StepControl) throws {
    let count = 41
    let solver = try Self.solver(control)
    let all = Self.problem(count: count)
    let together = try solver.gradient(of: Self.loss, at: all)
    for sample in [0, 7, 31, 32, 40] {
      var one = all
      one.states = Array(all.states[2 * sample..<2 * sample + 2])
      one.sampleIdentifiers = [100 + UInt64(sample)]
      let alone = try solver.gradient(of: Self.loss, at: one)
      #expect(Self.bits(alone, 0) == Self.bits(together, sample), "sample \(sample)")
    }
  }

  @Test(arguments: controls) func anyNumberOfThreads(_ control: StepControl) throws {
    let count = 100
    let problem = Self.problem(count: count)
    let one = try Self.solver(control, threads: 1).gradient(of: Self.loss, at: problem)
    for threads in [2, 3] {
      let several = try Self.solver(control, threads: threads).gradient(of: Self.loss, at: problem)
      #expect(several.parameters == one.parameters, "\(threads) threads")
      for sample in 0..<count { #expect(Self.bits(several, sample) == Self.bits(one, sample)) }
    }
  }

  /// x' = 1e300 · relu(x − 1) is at rest below 1 and overflows above 1. One more sample is NaN from the start.
  @Test(arguments: [StepControl.fixed(steps: 3), .perSample(rtol: 1e-6, atol: 1e-6)])
  func failuresStayAlone(_ control: StepControl) throws {
    let program = FieldProgram.multilayerPerceptron(
      stateDimension: 1, hidden: [1], activation: .relu, seesTime: false)
    let parameters: [Double] = [1, -1, 1e300, 0]
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, control, trace: .exact, tableau: Fixtures.dopri5)
    func gradient(_ states: [Double]) throws -> Gradient<Double> {
      try solver.gradient(
        of: .standardNormalNegativeLogLikelihood(scale: 1),
        at: SolveProblem(parameters: parameters, states: states, from: 0, to: 1))
    }
    let mixed = try gradient([0.5, 2, .nan, -3])
    let healthy = try gradient([0.5, -3])
    let solution = mixed.solution
    #expect(solution.statuses[0] == .ok && solution.statuses[3] == .ok)
    #expect(solution.statuses[1] == .notFinite || solution.statuses[1] == .stepTooSmall)
    #expect(solution.statuses[2] == .notFinite && solution.timesReached[2] == 0)
    #expect(solution.states[1].isFinite && solution.timesReached[1] < 1, "the last good state")
    #expect(solution.firstFailure == 1)
    #expect(mixed.losses[1].isNaN && mixed.losses[2].isNaN)
    #expect([mixed.states[1], mixed.states[2], mixed.startTimes[1], mixed.endTimes[2]] == [0, 0, 0, 0])
    #expect(mixed.parameters == healthy.parameters)
    for (here, there) in [(0, 0), (3, 1)] {
      #expect(solution.states[here] == healthy.solution.states[there])
      #expect(solution.logDeterminants[here] == healthy.solution.logDeterminants[there])
      #expect(mixed.states[here] == healthy.states[there] && mixed.losses[here] == healthy.losses[there])
    }
  }

  static let otherWays: [(ButcherTableau, StepControl, [Double])] = [
    (Fixtures.explicitAdams, .fixed(steps: 9), []), (Fixtures.implicitAdams, .fixed(steps: 9), []),
    (Fixtures.rodas4, .fixed(steps: 3), []), (Fixtures.rodas4, .perSample(rtol: 1e-3, atol: 1e-3), []),
    (Fixtures.dopri5, .fixed(steps: 2), [0.8, 0.3]), (Fixtures.dopri5, .perSample(rtol: 1e-3, atol: 1e-3), [0.8, 0.3]),
  ]

  /// Tests methods that keep past slopes or factor matrices, and output times: a sample alone, in a batch of several
  /// tiles, and on several threads.
  @Test(arguments: otherWays) func otherWaysOfSolving(
    _ tableau: ButcherTableau, _ control: StepControl, _ times: [Double]
  ) throws {
    func solve(_ samples: Range<Int>, threads: Int) throws -> Solution<Float> {
      let all = Self.problem(count: 100)
      var some = all
      some.states = Array(all.states[2 * samples.lowerBound..<2 * samples.upperBound])
      some.sampleIdentifiers = all.sampleIdentifiers.map { Array($0[samples]) }
      some.outputTimes = times
      return try PureSwiftSolver<Float>(
        program: Self.program,
        options: SolverOptions(method: tableau.name, control: control, trace: .exactTangents, threads: threads),
        tableau: tableau, startingTableau: Fixtures.rk438
      ).solve(some)
    }
    let together = try solve(0..<100, threads: 1)
    #expect(together.statuses.allSatisfy { $0 == .ok })
    #expect(try solve(0..<100, threads: 3).states == together.states)
    for sample in [0, 31, 32, 77] {
      let alone = try solve(sample..<sample + 1, threads: 1)
      let (rows, places) = (2 * sample..<2 * sample + 2, sample * times.count..<(sample + 1) * times.count)
      #expect(alone.states == Array(together.states[rows]), "sample \(sample)")
      #expect(alone.logDeterminants[0] == together.logDeterminants[sample])
      #expect(alone.statesAtTimes == Array(together.statesAtTimes[2 * places.lowerBound..<2 * places.upperBound]))
      #expect(alone.logDeterminantsAtTimes == Array(together.logDeterminantsAtTimes[places]))
      #expect(alone.evaluations[0] == together.evaluations[sample])
      #expect(alone.rejectedSteps[0] == together.rejectedSteps[sample])
    }
  }

  @Test func tooManySteps() throws {
    let solver: PureSwiftSolver<Float> = try Fixtures.solver(
      Self.program, .perSample(rtol: 1e-6, atol: 1e-6), trace: .exact, tableau: Fixtures.dopri5,
      maximumSteps: 3)
    let solution = try solver.solve(Self.problem(count: 2))
    for sample in 0..<2 {
      #expect(solution.statuses[sample] == .maximumSteps)
      #expect(solution.acceptedSteps[sample] + solution.rejectedSteps[sample] == 3)
      #expect(solution.timesReached[sample] < 1 && solution.timesReached[sample] > 0)
    }
  }
}
