import Foundation
import NeuralODE
import PureSwift
import Testing

/// Symplectic and reversible methods from Swift. `Tests/C/partitioned_test.c` and `reversible_test.c` check their
/// algebra, the quantities they preserve, and their gradients.
@Suite struct StructureMethodTests {
  private static let symplectic = ["symplectic_euler", "leapfrog", "position_verlet", "yoshida4"]

  @Test(arguments: symplectic) func bothTableauxHaveOneShape(name: String) throws {
    let method = try Methods.named(name)
    let momenta = try #require(method.momenta)
    #expect(
      method.family == .partitioned && method.hasDiscreteGradient && !method.isAdaptive && method.c.isEmpty
        && !method.citation.isEmpty)
    #expect(momenta.a.count == method.stages && momenta.b.count == method.stages)
    #expect(abs(momenta.b.reduce(0, +) - 1) < 1e-15 && abs(method.b.reduce(0, +) - 1) < 1e-15)
    // Each stage changes either the positions or the momenta.
    for stage in 0..<method.stages {
      let movesPositions = ([method.b] + method.a).contains { $0[stage] != 0 }
      #expect(movesPositions != ([momenta.b] + momenta.a).contains { $0[stage] != 0 })
    }
    #expect(try Methods.named("stormer_verlet").name == "leapfrog")
  }

  /// One step of leapfrog on q' = p, p' = -q, compared with a computation by hand.
  @Test func leapfrogOfAnOscillator() throws {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    let h = 0.3
    let solver = try KernelSolver<Double>(
      program: program, options: Fixtures.options("leapfrog", .fixed(steps: 1), trace: .none))
    let solution = try solver.solve(
      SolveProblem(parameters: [0, 1, -1, 0, 0, 0], states: [0.8, -0.4], from: 0, to: h))
    let half = -0.4 - h / 2 * 0.8
    let position = 0.8 + h * half
    #expect(abs(solution.states[0] - position) < 1e-15)
    #expect(abs(solution.states[1] - (half - h / 2 * position)) < 1e-15)
  }

  private func gradient(_ adjoint: AdjointSchedule, _ control: StepControl, trace: Trace) throws -> Gradient<Double> {
    let program = Fixtures.net(3, [12, 9], .softplus)
    var options = Fixtures.options("reversible_heun", control, trace: trace)
    options.adjoint = adjoint
    return try KernelSolver<Double>(program: program, options: options).gradient(
      of: .standardNormalNegativeLogLikelihood(scale: 1.0 / 21),
      at: SolveProblem(
        parameters: Fixtures.parameters(for: program, seed: 3), states: Fixtures.normals(21 * 3, seed: 4), from: 1,
        to: 0,
        seed: 7))
  }

  /// The gradients from reversed steps and from stored states agree, up to the rounding of about a hundred steps.
  @Test(arguments: [Trace.hutchinson, .exactTangents, .exactProduct])
  func reversedAndStoredStatesAgree(trace: Trace) throws {
    for control in [StepControl.fixed(steps: 20), .perSample(rtol: 1e-4, atol: 1e-4)] {
      let stored = try gradient(.everyStep, control, trace: trace)
      let reversed = try gradient(.reversible, control, trace: trace)
      let differences = zip(
        stored.parameters + stored.states + stored.startTimes,
        reversed.parameters + reversed.states + reversed.startTimes
      )
      .map { abs($0 - $1) }
      #expect(differences.max()! < 1e-11)
      #expect(stored.solution.states == reversed.solution.states && stored.solution.reconstructionErrors.isEmpty)
      #expect(
        reversed.solution.reconstructionErrors.count == 21
          && reversed.solution.reconstructionErrors.allSatisfy { $0 < 1e-11 })
      #expect(reversed.solution.adjointEvaluations == reversed.solution.acceptedSteps.map { $0 + 1 })
    }
  }

  @Test func refusals() throws {
    let odd = Fixtures.net(3, [4], .tanh)
    for name in Self.symplectic {
      let error = #expect(throws: KernelError.self) {
        try KernelSolver<Double>(program: odd, options: Fixtures.options(name, .fixed(steps: 4)))
      }
      #expect("\(error!)".contains("even number of rows"))
    }
    var options = Fixtures.options("dopri5", .perSample(rtol: 1e-5, atol: 1e-5), trace: .exact)
    options.adjoint = .reversible
    let error = #expect(throws: KernelError.self) { try KernelSolver<Double>(program: odd, options: options) }
    #expect("\(error!)".contains("reversible_heun"))
    #expect(throws: PureSwiftError.reversibleAdjoint) {
      try PureSwiftSolver<Double>(program: odd, options: options, tableau: try Methods.named("dopri5"))
    }
  }
}
