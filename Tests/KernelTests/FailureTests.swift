import Foundation
import NeuralODE
import Testing

/// Samples that cannot reach their end time get a status in bounded time, with the time they reached. The other samples
/// reach theirs.
@Suite struct FailureTests {
  /// x' = 40 x overflows Float at t = 88/40 if it starts at 1, and never if it starts at 0.
  @Test func overflowIsNotFinite() throws {
    let program = Fixtures.linearField(1)
    for control in [StepControl.perSample(rtol: 1e-3, atol: 1e-3), .fixed(steps: 300)] {
      let solver = try KernelSolver<Float>(program: program, options: Fixtures.options("dopri5", control))
      let solution = try solver.solve(
        SolveProblem(parameters: [40, 0], states: [1, 0], from: 0, to: 3))
      #expect(solution.statuses == [.notFinite, .ok])
      #expect(solution.timesReached[0] > 1.9 && solution.timesReached[0] < 2.3, "\(control)")
      #expect(solution.states[0].isFinite && solution.states[1] == 0)
    }
  }

  @Test func maximumStepsAreKept() throws {
    let program = Fixtures.net(2, [16, 16], .tanh)
    let solver = try KernelSolver<Float>(
      program: program,
      options: Fixtures.options("dopri5", .perSample(rtol: 1e-6, atol: 1e-6), maximumSteps: 5))
    let solution = try solver.solve(
      SolveProblem(
        parameters: Fixtures.parameters(for: program, seed: 81, gain: 4), states: Fixtures.normals(20, seed: 82),
        from: 0,
        to: 1))
    #expect(solution.statuses.contains(.maximumSteps))
    for sample in solution.statuses.indices where solution.statuses[sample] == .maximumSteps {
      #expect(solution.acceptedSteps[sample] + solution.rejectedSteps[sample] == 5)
      #expect(solution.timesReached[sample] > 0 && solution.timesReached[sample] < 1)
    }
  }

  /// A field with the eigenvalue −10⁸ needs steps of 10⁻⁸, so the sample takes its maximum number of steps. With a
  /// minimum step of 10⁻⁵ it fails sooner.
  @Test func stiffFieldsEndInBoundedTime() throws {
    var options = Fixtures.options("dopri5", .perSample(rtol: 1e-6, atol: 1e-6), maximumSteps: 1_000)
    let problem = SolveProblem<Double>(parameters: [-1e8, 1e8], states: [2, 1], from: 0, to: 1)
    let solution = try KernelSolver<Double>(program: Fixtures.linearField(1), options: options).solve(problem)
    #expect(solution.statuses[0] == .maximumSteps)
    options.minimumStep = 1e-5
    let short = try KernelSolver<Double>(program: Fixtures.linearField(1), options: options).solve(problem)
    #expect(short.statuses[0] == .stepTooSmall)
    #expect(short.rejectedSteps[0] < 20)
  }

  @Test func parametersThatAreNotNumbersFailEverySample() throws {
    let program = Fixtures.net(2, [8, 8], .softplus)
    for control in [StepControl.perSample(rtol: 1e-5, atol: 1e-5), .fixed(steps: 3), .batch(rtol: 1e-5, atol: 1e-5)] {
      for bad in [Float.nan, .infinity] {
        var parameters: [Float] = Fixtures.parameters(for: program, seed: 83)
        parameters[3] = bad
        let solver = try KernelSolver<Float>(program: program, options: Fixtures.options("dopri5", control))
        let found = try solver.gradient(
          of: .standardNormalNegativeLogLikelihood(scale: 1),
          at: SolveProblem(parameters: parameters, states: Fixtures.normals(80, seed: 84), from: 0, to: 1))
        #expect(found.solution.statuses.allSatisfy { $0 == .notFinite }, "\(control) \(bad)")
        #expect(found.losses.allSatisfy { $0.isNaN })
        #expect(found.parameters.allSatisfy { $0 == 0 })
      }
    }
  }

  /// Batch control (one step size for all samples, as in torchdiffeq) agrees with per-sample control within the
  /// tolerance, but the result of a sample depends on the batch.
  @Test func batchControlAgreesWithinTheTolerance() throws {
    let program = Fixtures.net(2, [16, 16], .tanh)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 85, gain: 2)
    let problem = SolveProblem<Double>(
      parameters: parameters, states: Fixtures.normals(2 * 70, seed: 86), from: 0, to: 1)
    let own = try KernelSolver<Double>(
      program: program, options: Fixtures.options("dopri5", .perSample(rtol: 1e-9, atol: 1e-9))
    ).solve(problem)
    let shared = try KernelSolver<Double>(
      program: program, options: Fixtures.options("dopri5", .batch(rtol: 1e-6, atol: 1e-6)))
    let solution = try shared.solve(problem)
    #expect(solution.statuses.allSatisfy { $0 == .ok })
    #expect(Set(solution.acceptedSteps).count == 1)
    for (a, b) in zip(solution.states, own.states) { #expect(abs(a - b) < 1e-4) }
    var few = problem
    few.states = Array(problem.states[..<2])
    #expect(bits(try shared.solve(few).states) != bits(Array(solution.states[..<2])))
    let gradient = try shared.gradient(of: .standardNormalNegativeLogLikelihood(scale: 1), at: problem)
    #expect(bits(gradient.solution.states) == bits(solution.states))
  }

  /// Batch control counts its attempts: the same for every sample, with at least one rejected step here.
  @Test func batchControlCountsItsAttempts() throws {
    var options = Fixtures.options("dopri5", .batch(rtol: 1e-6, atol: 1e-6))
    options.initialStep = 1
    let program = Fixtures.net(2, [16, 16], .tanh)
    let solution = try KernelSolver<Double>(program: program, options: options).solve(
      SolveProblem(
        parameters: Fixtures.parameters(for: program, seed: 85, gain: 2), states: Fixtures.normals(2 * 5, seed: 86),
        from: 0, to: 1))
    #expect(solution.rejectedSteps[0] >= 1 && Set(solution.rejectedSteps).count == 1)
    #expect(
      solution.evaluations
        == solution.statuses.indices.map {
          7 * (solution.acceptedSteps[$0] + solution.rejectedSteps[$0])
        })
  }

  @Test func emptyBatchesAreAllowed() throws {
    let program = Fixtures.net(2, [4], .tanh)
    let solver = try KernelSolver<Float>(program: program)
    let problem = SolveProblem<Float>(
      parameters: Fixtures.parameters(for: program, seed: 1), states: [], from: 0, to: 1)
    #expect(try solver.solve(problem).statuses.isEmpty)
    let gradient = try solver.gradient(of: .standardNormalNegativeLogLikelihood(scale: 1), at: problem)
    #expect(gradient.parameters == [Float](repeating: 0, count: program.parameterCount))
  }
}
