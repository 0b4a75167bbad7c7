import Foundation
import NeuralODE
import Testing

/// Control of the error at the end time, on fields with known end states.
@Suite struct GlobalErrorTests {
  /// `x′ = rate · x`, which multiplies errors by `exp(rate · time)`.
  private static func growth(_ rate: Double) -> FieldProgram {
    var program = FieldProgram(stateDimension: 1)
    program.append(.scale(input: .state, by: rate))
    return program
  }

  private static func options(
    _ method: String, _ tolerance: Double, trace: Trace = .exact, norm: ErrorNorm = .rootMeanSquare, threads: Int = 2
  ) -> SolverOptions {
    var options = Fixtures.options(method, .perSample(rtol: tolerance, atol: tolerance), trace: trace, threads: threads)
    options.errorNorm = norm
    options.maximumSteps = 1 << 18
    return options
  }

  /// `x′ = cos(t) · 3 x` amplifies and then shrinks errors by up to e⁶, so control of the error of each step is not
  /// enough.
  @Test(arguments: Methods.all.filter(\.isAdaptive).map(\.name), [1e-3, 1e-6])
  func endStatesAreWithinTheTolerances(method: String, tolerance: Double) throws {
    let wave = FieldCallback(
      name: "wave",
      double: .init(
        evaluate: { lanes, t, x, _, y in for j in 0..<lanes { y[j] = 3 * cos(t[j]) * x[j] } },
        tangent: { lanes, t, _, _, xDot, yDot in for j in 0..<lanes { yDot[j] = 3 * cos(t[j]) * xDot[j] } }))
    var program = FieldProgram(stateDimension: 1)
    program.append(.callback(input: .state, rows: 1, wave))
    let solver = try GlobalErrorSolver<Double>(program: program, options: Self.options(method, tolerance, trace: .none))
    let end = 1.5 * Double.pi
    let starts = [1.0, -2, 0.5]
    let result = try solver.solve(SolveProblem(parameters: [], states: starts, from: 0, to: end))
    for (sample, start) in starts.enumerated() {
      let exact = start * exp(3 * sin(end))
      #expect(result.isWithinTolerances(sample), "\(result)")
      #expect(abs(result.solution.states[sample] - exact) <= tolerance + tolerance * abs(exact), "\(result)")
      #expect(result.refinements[sample] >= 1)
    }
  }

  /// A sample has the same bits alone and among others, also if the others need more refinements.
  @Test(arguments: [Trace.exact, .hutchinson], [ErrorNorm.rootMeanSquare, .maximum])
  func resultsDoNotDependOnOtherSamples(trace: Trace, norm: ErrorNorm) throws {
    let program = Fixtures.net(2, [7], .tanh)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 5, gain: 6)
    let states: [Double] = Fixtures.normals(24, seed: 6, scale: 2)
    let identifiers = (0..<12).map { UInt64(100 + $0) }
    func solve(_ samples: [Int], threads: Int) throws -> GlobalErrorSolver<Double>.Result {
      let solver = try GlobalErrorSolver<Double>(
        program: program, options: Self.options("tsit5", 1e-5, trace: trace, norm: norm, threads: threads))
      return try solver.solve(
        SolveProblem(
          parameters: parameters, states: samples.flatMap { states[$0 * 2..<$0 * 2 + 2] }, from: 0, to: 3, seed: 4,
          sampleIdentifiers: samples.map { identifiers[$0] }, outputTimes: [1, 2]))
    }
    let all = try solve(Array(0..<12), threads: 2)
    #expect(Set(all.refinements).count > 1, "all samples have the same refinements: \(all.refinements)")
    for sample in 0..<12 {
      let alone = try solve([sample], threads: 1)
      #expect(alone.solution.states == Array(all.solution.states[sample * 2..<sample * 2 + 2]))
      #expect(alone.solution.statesAtTimes == Array(all.solution.statesAtTimes[sample * 4..<sample * 4 + 4]))
      #expect(alone.solution.logDeterminants[0] == all.solution.logDeterminants[sample])
      #expect(alone.errors[0] == all.errors[sample] && alone.refinements[0] == all.refinements[sample])
      #expect(alone.solution.evaluations[0] == all.solution.evaluations[sample])
    }
  }

  /// A sample that cannot reach its end time has a status that says so, and does not affect the others.
  @Test func aFailedSampleKeepsItsStatus() throws {
    var program = FieldProgram(stateDimension: 1)
    program.append(.multiply(.state, .state))
    let solver = try GlobalErrorSolver<Double>(program: program, options: Self.options("dopri5", 1e-6))
    // The solution of x′ = x² from 1 has a pole at t = 1.
    let result = try solver.solve(SolveProblem(parameters: [], states: [1, -1], from: 0, to: 2))
    #expect(result.solution.statuses[0] != .ok && result.errors[0].isNaN && !result.isWithinTolerances(0))
    #expect(result.isWithinTolerances(1))
    #expect(abs(result.solution.states[1] + 1.0 / 3) <= 2e-6)
  }

  /// If two solves still differ after the last refinement, the error is reported as above the tolerance.
  @Test func tooFewRefinementsAreReported() throws {
    let solver = try GlobalErrorSolver<Double>(
      program: Self.growth(1), options: Self.options("fehlberg2", 1e-5), maximumRefinements: 1)
    let result = try solver.solve(SolveProblem(parameters: [], states: [1], from: 0, to: 5))
    #expect(result.solution.statuses == [.ok] && result.errors[0] > 1 && !result.isWithinTolerances(0))
  }
}
