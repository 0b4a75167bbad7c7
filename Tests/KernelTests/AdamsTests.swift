import NeuralODE
import Testing

/// Adams methods from Swift. The C tests check their formulas (`Tests/C/adams_test.c`).
@Suite struct AdamsTests {
  private static let names = ["explicit_adams", "implicit_adams"]
  private static let program = FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [8], activation: .tanh)

  private static let problem = SolveProblem<Double>(
    parameters: Fixtures.parameters(for: program, seed: 4, gain: 1), states: Fixtures.normals(2 * 37, seed: 5), from: 1,
    to: 0)

  private func solver(_ name: String, steps: Int, order: Int = 12, threads: Int? = nil) throws -> KernelSolver<Double> {
    var options = Fixtures.options(name, .fixed(steps: steps))
    options.maximumOrder = order
    options.iterationRtol = 1e-11
    options.iterationAtol = 1e-11
    options.threads = threads
    return try KernelSolver(program: Self.program, options: options)
  }

  /// The methods have order 4 and 5: twice as many steps reduce the error by at least 2^(4 - 0.2), at any
  /// `maximumOrder` from 5 on.
  @Test(arguments: names, [5, 6, 12])
  func convergesToTheSolution(name: String, order: Int) throws {
    func values(_ name: String, _ steps: Int) throws -> [Double] {
      let solution = try solver(name, steps: steps, order: order).solve(Self.problem)
      #expect(solution.statuses.allSatisfy { $0 == .ok })
      return solution.states + solution.logDeterminants
    }
    let exact = try values("dopri8", 200)
    let errors = try [120, 240].map { steps in
      zip(try values(name, steps), exact).map { abs($0 - $1) }.max() ?? .infinity
    }
    #expect(errors[0] < 1e-4 && errors[0] > 13.9 * errors[1], "\(name), order \(order): \(errors)")
  }

  /// The backward solve is by rk4_38, of order 4, like the first steps of the forward solve. So twice as many steps
  /// reduce the error of the gradient by at least 2^(4 - 0.2). The reference is the exact gradient of steps of dopri8.
  @Test(arguments: names) func hasTheContinuousAdjoint(name: String) throws {
    func gradient(_ name: String, _ steps: Int, _ adjoint: AdjointSchedule) throws -> [Double] {
      var options = Fixtures.options(name, .fixed(steps: steps))
      options.iterationRtol = 1e-11
      options.iterationAtol = 1e-11
      options.maximumOrder = 5
      options.adjoint = adjoint
      let solver = try KernelSolver<Double>(program: Self.program, options: options)
      let gradient = try solver.gradient(of: .standardNormalNegativeLogLikelihood(scale: 0.1), at: Self.problem)
      #expect(gradient.solution.statuses.allSatisfy { $0 == .ok })
      return gradient.parameters + gradient.states
    }
    let exact = try gradient("dopri8", 200, .everyStep)
    let errors = try [60, 120].map { steps in
      zip(try gradient(name, steps, .continuous()), exact).map { abs($0 - $1) }.max() ?? .infinity
    }
    #expect(errors[0] < 1e-4 && errors[0] > 13.9 * errors[1], "\(name): \(errors)")
  }

  @Test(arguments: names) func doesNotDependOnThreads(name: String) throws {
    let alone = try solver(name, steps: 20, threads: 1).solve(Self.problem)
    let together = try solver(name, steps: 20, threads: 3).solve(Self.problem)
    #expect(alone.states == together.states && alone.logDeterminants == together.logDeterminants)
  }

  @Test(arguments: names) func refusesWhatItDoesNotSupport(name: String) throws {
    let method = try Methods.named(name)
    #expect(method.family != .rungeKutta && method.stages == 0 && !method.isAdaptive && !method.citation.isEmpty)
    if !method.hasDiscreteGradient {
      let error = #expect(throws: KernelError.self) {
        try solver(name, steps: 20).gradient(
          of: .standardNormalNegativeLogLikelihood(scale: 1), regularisation: .none, at: Self.problem)
      }
      #expect("\(error!)".contains("continuous adjoint"))
    }
    #expect(throws: KernelError.self) { try solver(name, steps: 20, order: 13) }
    #expect(throws: KernelError.self) { try solver(name, steps: 20, order: 0) }
  }
}
