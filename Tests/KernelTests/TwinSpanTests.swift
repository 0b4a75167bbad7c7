import NeuralODE
import PureSwift
import Testing

/// Compares both backends on samples with their own start and end times: every method and adjoint, with output times if
/// a method has them. Intervals are at most 1 long, like those of `TwinTests`, so its bounds hold.
@Suite struct TwinSpanTests {
  private static let dimension = TwinTests.dimension
  private static let count = TwinTests.count
  private static let timeCount = 6

  /// Samples with intervals backward and forward in time and of length 0. The longest ones have the length `reach`.
  private static func problem(
    _ program: FieldProgram, timesOfSamples: Bool, reach: Double = 1
  ) -> SolveProblem<Double> {
    let starts = (0..<count).map { Double($0 % 5) / 5 }
    let ends = (0..<count).map { starts[$0] + reach * Double($0 % 7 - 3) / 3 }
    var problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 61, gain: 1.5),
      states: Fixtures.normals(count * dimension, seed: 62), from: .nan, to: .nan, seed: 3, step: 5,
      startTimes: starts, endTimes: ends)
    if timesOfSamples { problem.sampleOutputTimes = (0..<count).flatMap { outputTimes($0, starts[$0], ends[$0]) } }
    return problem
  }

  /// The output times of a sample: its start, one time twice, another time, one close to the end, and the end.
  private static func outputTimes(_ number: Int, _ start: Double, _ end: Double) -> [Double] {
    let (twice, other) = (0.1 + 0.01 * Double(number), 0.55 + 0.01 * Double(number))
    return [0, twice, twice, other, 0.999].map { start + $0 * (end - start) } + [end]
  }

  private func compare(
    _ test: TwinTests.Case, _ adjoint: AdjointSchedule, hasTimes: Bool, reach: Double = 1,
    _ bounds: Twins<Double>.Bounds
  ) throws {
    let twins = try Twins<Double>(test.program, test.options(adjoint))
    try twins.expectEqualGradients(
      of: TwinTests.loss(times: hasTimes ? Self.timeCount : 0), test.regularisation,
      at: Self.problem(test.program, timesOfSamples: hasTimes, reach: reach), bounds, test.name)
  }

  // MARK: The discrete gradient

  @Test(arguments: TwinTests.fixed) func outputTimesOfFixedSteps(test: TwinTests.Case) throws {
    try compare(test, .everyStep, hasTimes: true, .fixed)
  }

  @Test(arguments: TwinTests.adaptive) func outputTimesOfAdaptiveSteps(test: TwinTests.Case) throws {
    try compare(test, .everyStep, hasTimes: true, .adaptive(tolerance: 1e-6))
  }

  /// The results of each sample equal those of a problem with this sample only, to the bit.
  @Test(arguments: [TwinTests.fixed[6], TwinTests.adaptive[0], TwinTests.adaptive[1]])
  func resultsDoNotDependOnOtherSamples(test: TwinTests.Case) throws {
    let swift = try Twins<Double>(test.program, test.options()).swift
    let (dimension, count, times) = (Self.dimension, Self.count, Self.timeCount)
    let problem = Self.problem(test.program, timesOfSamples: true)
    let loss: Loss<Double> = TwinTests.loss(times: times)
    guard case .cotangents(let ends, let logDeterminants, let states, let logDeterminantsAtTimes, _) = loss else {
      return
    }
    let whole = try swift.gradient(of: loss, regularisation: test.regularisation, at: problem)
    #expect(whole.solution.firstFailure == nil)
    for number in 0..<count {
      func rows<Number>(_ array: [Number], _ size: Int) -> [Number] {
        Array(array[number * size..<(number + 1) * size])
      }
      let (start, end) = (problem.startTime(of: number), problem.endTime(of: number))
      let one = try swift.gradient(
        of: .cotangents(
          states: rows(ends, dimension), logDeterminants: rows(logDeterminants, 1),
          statesAtTimes: rows(states, times * dimension), logDeterminantsAtTimes: rows(logDeterminantsAtTimes, times)),
        regularisation: test.regularisation,
        at: SolveProblem(
          parameters: problem.parameters, states: rows(problem.states, dimension), from: start, to: end, seed: 3,
          step: 5, sampleIdentifiers: [UInt64(number)], outputTimes: Self.outputTimes(number, start, end)))
      for (all, own, size) in [
        (whole.states, one.states, dimension), (whole.outputTimes, one.outputTimes, times),
        (whole.startTimes, one.startTimes, 1), (whole.endTimes, one.endTimes, 1),
        (whole.solution.states, one.solution.states, dimension),
        (whole.solution.statesAtTimes, one.solution.statesAtTimes, times * dimension),
        (whole.solution.logDeterminantsAtTimes, one.solution.logDeterminantsAtTimes, times),
        (whole.solution.logDeterminants, one.solution.logDeterminants, 1),
        (whole.solution.timesReached, one.solution.timesReached, 1),
      ] { #expect(bits(rows(all, size)) == bits(own), "\(test.name), sample \(number)") }
      #expect(rows(whole.solution.evaluations, 1) == one.solution.evaluations, "\(test.name), sample \(number)")
      #expect(whole.solution.timesReached[number] == end)
    }
  }

  /// Common output times of samples with different intervals.
  @Test func commonTimes() throws {
    for test in [TwinTests.fixed[6], TwinTests.adaptive[0]] {
      var problem = Self.problem(test.program, timesOfSamples: false)
      problem.endTimes = (0..<Self.count).map { 2 + Double($0) / 37 }
      problem.outputTimes = [0.9, 1.3]
      try Twins<Double>(test.program, test.options()).expectEqualGradients(
        of: TwinTests.loss(times: 2), test.regularisation, at: problem,
        test.control == .fixed(steps: 4) ? .fixed : .adaptive(tolerance: 1e-6), test.name)
    }
  }

  // MARK: The continuous adjoint

  @Test(arguments: TwinTests.fixed) func continuousAdjointOfFixedSteps(test: TwinTests.Case) throws {
    try compare(test, .continuous(), hasTimes: false, .fixed)
  }

  @Test(arguments: TwinTests.adaptive) func continuousAdjointOfAdaptiveSteps(test: TwinTests.Case) throws {
    try compare(test, .continuous(), hasTimes: false, .adaptive(tolerance: 1e-6))
  }

  // MARK: Adams and Rosenbrock methods

  /// The explicit formula of 11 slopes is stable for h|λ| below 0.0033, where λ is an eigenvalue of ∂f/∂x. At −0.03 its
  /// largest root is 1.66, and twenty steps multiply rounding errors by 10⁴. So its intervals are at most 1/30 long: 30
  /// steps are then stable for |λ| up to 3.
  @Test(arguments: TwinTests.adams) func adamsMethods(test: TwinTests.Case) throws {
    let (factor, reach) = test.order == 12 ? (256, 1.0 / 30) : (1.0, 1)
    let bounds = Twins<Double>.Bounds(
      state: factor * Twins<Double>.Bounds.fixed.state, gradient: factor * Twins<Double>.Bounds.fixed.gradient)
    let twins = try Twins<Double>(test.program, test.options())
    try twins.expectEqualSolutions(
      Self.problem(test.program, timesOfSamples: false, reach: reach), bounds, test.name)
    try compare(test, .continuous(), hasTimes: false, reach: reach, bounds)
  }

  @Test(arguments: TwinTests.rosenbrock) func rosenbrockMethods(test: TwinTests.Case) throws {
    let isAdaptive = test.control == .perSample(rtol: 1e-6, atol: 1e-6)
    let twins = try Twins<Double>(test.program, test.options())
    let problem = Self.problem(test.program, timesOfSamples: false)
    try twins.expectEqualSolutions(
      problem, Twins<Double>.Bounds(state: isAdaptive ? 2_000_000 : 20_000, gradient: 0), test.name)
    #expect(try twins.c.solve(problem).evaluations == twins.swift.solve(problem).evaluations, "\(test.name)")
  }

  // MARK: Losses by closure

  /// The loss Σᵢ (1 + i/10) (½|xᵢ|² − 0.7 ℓᵢ), with both adjoints.
  @Test(arguments: [AdjointSchedule.everyStep, .continuous()]) func closures(adjoint: AdjointSchedule) throws {
    let loss = Loss<Double>.function { solved in
      var cotangents = SampleCotangents(for: solved)
      for sample in 0..<solved.count {
        let weight = 1 + Double(solved.first + sample) / 10
        for place in sample * Self.dimension..<(sample + 1) * Self.dimension {
          cotangents.states[place] = weight * solved.states[place]
          cotangents.losses[sample] += weight * solved.states[place] * solved.states[place] / 2
        }
        cotangents.losses[sample] -= 0.7 * weight * solved.logDeterminants[sample]
        cotangents.logDeterminants[sample] = -0.7 * weight
      }
      return cotangents
    }
    for test in [TwinTests.fixed[6], TwinTests.adaptive[0]] {
      try Twins<Double>(test.program, test.options(adjoint)).expectEqualGradients(
        of: loss, test.regularisation, at: Self.problem(test.program, timesOfSamples: false),
        test.control == .fixed(steps: 4) ? .fixed : .adaptive(tolerance: 1e-6), test.name)
    }
  }

  // MARK: What both backends refuse

  @Test func refusals() throws {
    let test = TwinTests.fixed[0]
    let twins = try Twins<Double>(test.program, test.options())
    func expectRefusal(
      sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout SolveProblem<Double>) -> Void
    ) throws {
      var problem = Self.problem(test.program, timesOfSamples: true)
      _ = try (twins.c.solve(problem), twins.swift.solve(problem))
      change(&problem)
      #expect(throws: PureSwiftError.self, sourceLocation: sourceLocation) { try twins.swift.solve(problem) }
      #expect(throws: KernelError.self, sourceLocation: sourceLocation) { try twins.c.solve(problem) }
    }
    // The second sample runs backward in time. First its first output time is before its start. Then its interval
    // changes direction, so its output times do not fit. Then common output times are outside the intervals of some
    // samples.
    try expectRefusal { $0.sampleOutputTimes?[Self.timeCount] += 1e-9 }
    try expectRefusal { $0.endTimes?[1] += 2 }
    try expectRefusal {
      $0.sampleOutputTimes = nil
      $0.outputTimes = [0.5]
    }
    var problem = Self.problem(test.program, timesOfSamples: true)
    problem.outputTimes = [0.5]
    // In KernelSolver this is a precondition failure.
    #expect(throws: PureSwiftError.self) { try twins.swift.solve(problem) }
    problem = Self.problem(test.program, timesOfSamples: true)
    problem.sampleOutputTimes?.removeLast()
    #expect(throws: PureSwiftError.self) { try twins.swift.solve(problem) }
    for name in ["explicit_adams", "rodas4"] {
      let options = Fixtures.options(name, .fixed(steps: 4), trace: .exact)
      let others = try Twins<Double>(test.program, options)
      let timed = Self.problem(test.program, timesOfSamples: true)
      #expect(throws: PureSwiftError.self) { try others.swift.solve(timed) }
    }
    let continuous = try Twins<Double>(test.program, test.options(.continuous()))
    let timed = Self.problem(test.program, timesOfSamples: true)
    let loss: Loss<Double> = TwinTests.loss(times: Self.timeCount)
    #expect(throws: PureSwiftError.self) { try continuous.swift.gradient(of: loss, at: timed) }
  }
}
