import Foundation
import NeuralODE
import Testing

@Suite struct AnalyticTests {
  /// For x' = A x, the log-determinant is tr(A)·T for every x, with every trace and in both directions of time.
  @Test(arguments: [Trace.exactTangents, .exactProduct, .hutchinson])
  func logDeterminantOfALinearFieldIsItsTrace(trace: Trace) throws {
    let dimension = 5
    var matrix: [Double] = Fixtures.normals(dimension * dimension, seed: 1)
    if trace == .hutchinson {
      // Rademacher probes are exact on diagonal matrices.
      for row in 0..<dimension {
        for column in 0..<dimension where column != row { matrix[row * dimension + column] = 0 }
      }
    }
    let exact = (0..<dimension).reduce(0) { $0 + matrix[$1 * dimension + $1] }
    let parameters = matrix + [Double](repeating: 0.3, count: dimension)
    for (from, to) in [(0.0, 1.5), (1.5, 0.0)] {
      for control in [StepControl.fixed(steps: 20), .perSample(rtol: 1e-8, atol: 1e-8)] {
        let solver = try KernelSolver<Double>(
          program: Fixtures.linearField(dimension), options: Fixtures.options("dopri5", control, trace: trace))
        let solution = try solver.solve(
          SolveProblem(parameters: parameters, states: Fixtures.normals(dimension * 11, seed: 2), from: from, to: to))
        #expect(solution.statuses.allSatisfy { $0 == .ok })
        for logDeterminant in solution.logDeterminants { #expect(abs(logDeterminant - exact * (to - from)) < 1e-12) }
      }
    }
  }

  /// The ratio of a step's error to its estimate for x' = ax.
  ///
  /// With z = ah, the leading terms are β z^{p+1} for the error and α z^{q+1} for the estimate, where p and q are the
  /// orders of the solution and of the embedded solution. Steps have α z^{q+1} = 2 · tolerance where |x| = 1.
  private func underestimate(_ method: ButcherTableau, _ tolerance: Double) -> Double {
    func coefficient(_ weights: [Double], power: Int) -> Double {
      var stages = [Double](repeating: 1, count: method.stages)
      for _ in 1..<power { stages = method.a.map { row in zip(row, stages).reduce(0) { $0 + $1.0 * $1.1 } } }
      return zip(weights, stages).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let (p, q) = (method.order, method.embeddedOrder)
    let factorial = (1...p + 1).reduce(1.0) { $0 * Double($1) }
    let beta = abs(coefficient(method.b, power: p + 1) - 1 / factorial)
    let alpha = abs(coefficient(method.e, power: q + 1))
    return beta / alpha * pow(pow(2 * tolerance / alpha, 1 / Double(q + 1)), Double(p - q))
  }

  /// x' = diag(a) x has x(T) = e^{aT} x(0).
  @Test(arguments: Methods.rungeKutta.filter(\.isAdaptive))
  func adaptiveErrorFollowsTheTolerance(method: ButcherTableau) throws {
    let rates = [0.7, -1.3]
    let parameters = [rates[0], 0, 0, rates[1], 0, 0]
    let start: [Double] = Fixtures.normals(2 * 9, seed: 3)
    for tolerance in [1e-4, 1e-6, 1e-8] {
      let solver = try KernelSolver<Double>(
        program: Fixtures.linearField(2),
        // Heun-Euler, whose estimate is of first order, takes about 1e4 steps at 1e-8.
        options: Fixtures.options(method.name, .perSample(rtol: tolerance, atol: tolerance), maximumSteps: 1 << 16))
      let solution = try solver.solve(SolveProblem(parameters: parameters, states: start, from: 0, to: 2))
      #expect(solution.statuses.allSatisfy { $0 == .ok })
      for index in start.indices {
        let exact = start[index] * exp(rates[index % 2] * 2)
        // Each local error is at most the tolerance, and e^{aT} ≤ 4.1 amplifies it. There are at most some tens of
        // steps, except for estimates of first order, where the actual number counts.
        let steps = method.embeddedOrder == 1 ? max(10, Double(solution.acceptedSteps[index / 2])) : 10
        let bound = 5 * steps * tolerance * (1 + abs(exact)) * max(1, underestimate(method, tolerance))
        #expect(abs(solution.states[index] - exact) < bound, "\(method.name) at \(tolerance)")
      }
    }
  }

  /// A solve forward and then backward in time ends at the start, with an error proportional to the tolerance.
  @Test(arguments: [Activation.tanh, .softplus])
  func forwardThenBackwardEndsAtTheStart(activation: Activation) throws {
    let program = Fixtures.net(3, [16, 16], activation)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 6, gain: 1.5)
    let start: [Double] = Fixtures.normals(3 * 40, seed: 7)
    var errors: [Double] = []
    for tolerance in [1e-4, 1e-6, 1e-8] {
      let solver = try KernelSolver<Double>(
        program: program, options: Fixtures.options("dopri5", .perSample(rtol: tolerance, atol: tolerance)))
      let forward = try solver.solve(SolveProblem(parameters: parameters, states: start, from: 0, to: 1))
      let backward = try solver.solve(SolveProblem(parameters: parameters, states: forward.states, from: 1, to: 0))
      let stateError = zip(backward.states, start).map { abs($0 - $1) }.max()!
      let logError = zip(forward.logDeterminants, backward.logDeterminants).map { abs($0 + $1) }.max()!
      errors.append(max(stateError, logError))
      // There are tens of steps in each direction, each within the tolerance, and errors grow by at most e^{Lipschitz}
      // ~ 10.
      #expect(errors.last! < 200 * tolerance, "\(activation) at \(tolerance): \(errors.last!)")
    }
    #expect(errors[2] < errors[0] / 100)
  }

  /// The log-determinant of the solve is log |det ∂x(T)/∂x(0)|. The gradients of the components give the Jacobian.
  @Test func logDeterminantIsThatOfTheFlowMap() throws {
    let program = Fixtures.net(2, [8, 8], .tanh)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 8, gain: 2)
    let solver = try KernelSolver<Double>(
      program: program, options: Fixtures.options("dopri5", .perSample(rtol: 1e-10, atol: 1e-10)))
    let problem = SolveProblem<Double>(parameters: parameters, states: [0.4, -0.9], from: 0, to: 1)
    let rows = try (0..<2).map { component in
      try solver.gradient(
        of: .cotangents(states: component == 0 ? [1, 0] : [0, 1], logDeterminants: [0]), at: problem
      ).states
    }
    let determinant = rows[0][0] * rows[1][1] - rows[0][1] * rows[1][0]
    // Both sides have the error of the solve.
    #expect(abs(log(abs(determinant)) - (try solver.solve(problem).logDeterminants[0])) < 1e-8)
  }

  @Test func anEmptyTimeIntervalChangesNothing() throws {
    let program = Fixtures.net(2, [4], .tanh)
    let start: [Float] = [1, -2, 3, 4]
    let solver = try KernelSolver<Float>(program: program)
    let solution = try solver.solve(
      SolveProblem(parameters: Fixtures.parameters(for: program, seed: 1), states: start, from: 0.5, to: 0.5))
    #expect(solution.states == start && solution.logDeterminants == [0, 0] && solution.acceptedSteps == [0, 0])
  }
}
