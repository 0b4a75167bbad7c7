import CLibrary
import FieldPrograms
import PureSwift
import Testing

/// Tests the orders of Adams methods, the polynomials that they integrate exactly, and their gradient.
@Suite struct AdamsTests {
  private static let program = FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [8], activation: .tanh)

  private static func solver(
    _ tableau: ButcherTableau, _ program: FieldProgram = program, steps: Int, order: Int, trace: Trace = .exact,
    adjoint: AdjointSchedule = .everyStep
  ) throws -> PureSwiftSolver<Double> {
    try PureSwiftSolver(
      program: program,
      options: SolverOptions(
        method: tableau.name, control: .fixed(steps: steps), trace: trace, threads: 1, maximumOrder: order,
        iterationRtol: 1e-12, iterationAtol: 1e-12, adjoint: adjoint),
      tableau: tableau, startingTableau: Fixtures.rk438)
  }

  /// From m = 4 on, the order is min(m − 1, 4) for the explicit method and min(m, 5) for the implicit one.
  @Test(arguments: [
    (Fixtures.explicitAdams, 4, 3.0), (Fixtures.explicitAdams, 5, 4), (Fixtures.implicitAdams, 4, 4),
    (Fixtures.implicitAdams, 5, 5), (Fixtures.explicitAdams, 3, 4),
  ]) func ordersAreNominal(tableau: ButcherTableau, order: Int, nominal: Double) throws {
    func solve(_ steps: Int) throws -> [Double] {
      var problem = SolveTests.problem(count: 2)
      problem.parameters = Fixtures.normals(Self.program.parameterCount, seed: 30, scale: 0.5)
      let solution = try Self.solver(tableau, steps: steps, order: order).solve(problem)
      #expect(solution.statuses.allSatisfy { $0 == .ok })
      return solution.states + solution.logDeterminants
    }
    let exact = try solve(1280)
    func error(_ steps: Int) throws -> Double { zip(try solve(steps), exact).map { abs($0 - $1) }.max() ?? .nan }
    let slope = try log2(error(40) / error(80))
    #expect(abs(slope - nominal) <= 0.2, "\(tableau.name) of order \(order): slope \(slope)")
  }

  /// For x′ = p′(t), a formula of k slopes integrates polynomials of degree k − 1 exactly. The implicit one has k + 1
  /// slopes and integrates those of degree k; the start has order 4 and integrates those of degree 3. So steps after
  /// the start are exact for p of degree k or k + 1. This tests the weights of the longest formulas, which do not
  /// affect the order.
  @Test(arguments: [Fixtures.explicitAdams, Fixtures.implicitAdams], [4, 7, 12])
  func polynomialsAreExact(tableau: ButcherTableau, order: Int) throws {
    // The first steps have fewer slopes than the longest formula. Their error is the same for every later end, so the
    // difference between two ends is exact.
    let degree = tableau.name == "explicit_adams" ? order - 2 : order - 1
    let field = FieldCallback(
      name: "power",
      double: .init { lanes, t, _, _, y in
        for lane in 0..<lanes { y[lane] = pow(t[lane], Double(degree)) }
      })
    var program = FieldProgram(stateDimension: 1)
    program.append(.callback(input: .state, rows: 1, field))
    func end(_ steps: Int) throws -> Double {
      try Self.solver(tableau, program, steps: steps, order: order, trace: .none).solve(
        SolveProblem(parameters: [], states: [0], from: 0, to: Double(steps) / 16)
      ).states[0]
    }
    func power(_ time: Double) -> Double { pow(time, Double(degree + 1)) / Double(degree + 1) }
    let (early, late) = try (end(14), end(16))
    // Over 16 steps of 1/16, the sum of absolute weights is at most 2⁸ times the sum of the weights, which is 1.
    #expect(abs(late - early - (power(1) - power(14.0 / 16))) <= 256 * 16 * Double.ulpOfOne, "order \(order)")
  }

  /// Each start step makes four evaluations, each later step one, and each iteration one more.
  @Test func countsAreItsOwn() throws {
    let problem = SolveProblem<Double>(
      parameters: Fixtures.normals(Self.program.parameterCount, seed: 30, scale: 0.3),
      states: Fixtures.normals(2 * 3, seed: 31), from: 0, to: 1)
    let explicit = try Self.solver(Fixtures.explicitAdams, steps: 40, order: 6).solve(problem)
    #expect(explicit.evaluations == [46, 46, 46] && explicit.rejectedSteps == [0, 0, 0])
    let implicit = try Self.solver(Fixtures.implicitAdams, steps: 40, order: 6).solve(problem)
    #expect(implicit.evaluations.allSatisfy { (46 + 38)...(46 + 4 * 38) ~= $0 })
  }

  /// The continuous adjoint uses the starting method, which has order 4.
  @Test(arguments: [Fixtures.explicitAdams, Fixtures.implicitAdams])
  func gradientsComeToTheExactOne(tableau: ButcherTableau) throws {
    let problem = GradientTests.problem(Self.program)
    let loss = Loss<Double>.cotangents(
      states: GradientTests.stateBars, logDeterminants: GradientTests.logDeterminantBars)
    let exact: PureSwiftSolver<Double> = try Fixtures.solver(
      Self.program, .fixed(steps: 400), trace: .exact, tableau: Fixtures.rk4)
    let reference = try exact.gradient(of: loss, at: problem)
    let errors = try [60, 120].map { steps in
      let found = try Self.solver(tableau, steps: steps, order: 5, adjoint: .continuous()).gradient(
        of: loss, at: problem)
      return zip(found.parameters + found.states, reference.parameters + reference.states).map { abs($0 - $1) }.max()!
    }
    #expect(errors[0] < 1e-4 && errors[0] > 13.9 * errors[1], "\(tableau.name): \(errors)")  // 2^(4 − 0.2)
  }
}
