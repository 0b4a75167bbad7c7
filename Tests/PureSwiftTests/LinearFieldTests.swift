import FieldPrograms
import PureSwift
import Testing

/// For x' = Ax + b, log |det| is tr(A) · T whatever the steps, and x(T) is known.
@Suite struct LinearFieldTests {
  /// The rounding error of about a hundred terms of size 1 in double.
  static let roundingTolerance = 1e-12

  @Test(arguments: [Trace.exact, .exactTangents, .exactProduct, .automatic])
  func logDeterminantIsTraceTimesTime(_ trace: Trace) throws {
    let dimension = 3
    let program = FieldProgram.multilayerPerceptron(
      stateDimension: dimension, hidden: [], activation: .identity, seesTime: false)
    let parameters: [Double] = Fixtures.normals(program.parameterCount, seed: 1)
    let matrixTrace = (0..<dimension).map { parameters[$0 * dimension + $0] }.reduce(0, +)
    for tableau in [Fixtures.rk4, Fixtures.dopri5] {
      let control: StepControl = tableau.isAdaptive ? .perSample(rtol: 1e-6, atol: 1e-6) : .fixed(steps: 7)
      let solver: PureSwiftSolver<Double> = try Fixtures.solver(program, control, trace: trace, tableau: tableau)
      let solution = try solver.solve(
        SolveProblem(parameters: parameters, states: Fixtures.normals(5 * dimension, seed: 2), from: 0.25, to: -1))
      for logDeterminant in solution.logDeterminants {
        #expect(abs(logDeterminant - -1.25 * matrixTrace) <= Self.roundingTolerance)
      }
    }
  }

  /// A rotation, whose exact solution is cos and sin. Over a few periods of steps, dopri5 with the tolerance τ for each
  /// step stays within 20 τ.
  @Test(arguments: [1e-4, 1e-6, 1e-8, 1e-10]) func toleranceIsKept(_ tolerance: Double) throws {
    let program = FieldProgram.multilayerPerceptron(
      stateDimension: 2, hidden: [], activation: .identity, seesTime: false)
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .perSample(rtol: tolerance, atol: tolerance), trace: .none, tableau: Fixtures.dopri5)
    let problem = SolveProblem<Double>(
      parameters: [0, -1, 1, 0, 0, 0], states: [1, 0], from: 0, to: 2 * Double.pi)
    let solution = try solver.solve(problem)
    let error = max(abs(solution.states[0] - 1), abs(solution.states[1]))
    #expect(error <= 20 * tolerance, "error \(error)")
    #expect(solution.timesReached == [2 * Double.pi])
    // The choice of the first step evaluates f₀ and f₁. The last stage of a step is the first stage of the next.
    #expect(solution.evaluations[0] == 2 + 6 * (solution.acceptedSteps[0] + solution.rejectedSteps[0]))
  }
}
