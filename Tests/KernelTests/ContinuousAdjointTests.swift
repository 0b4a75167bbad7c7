import NeuralODE
import Testing

/// The continuous adjoint from Swift. `Tests/C/continuous_test.c` checks closed forms, orders and failures.
@Suite struct ContinuousAdjointTests {
  private static let dimension = 3
  private static let count = 21

  private func gradient(_ adjoint: AdjointSchedule, tolerance: Double, trace: Trace = .hutchinson) throws
    -> Gradient<Double>
  {
    let program = Fixtures.net(Self.dimension, [12, 9], .softplus)
    var options = Fixtures.options("dopri5", .perSample(rtol: tolerance, atol: tolerance), trace: trace)
    options.adjoint = adjoint
    let solver = try KernelSolver<Double>(program: program, options: options)
    return try solver.gradient(
      of: .standardNormalNegativeLogLikelihood(scale: 1.0 / Double(Self.count)),
      at: SolveProblem(
        parameters: Fixtures.parameters(for: program, seed: 3),
        states: Fixtures.normals(Self.count * Self.dimension, seed: 4), from: 1, to: 0, seed: 7))
  }

  private func distance(_ left: Gradient<Double>, _ right: Gradient<Double>) -> Double {
    let pairs = [
      (left.parameters, right.parameters), (left.states, right.states), (left.startTimes, right.startTimes),
      (left.endTimes, right.endTimes),
    ]
    return pairs.flatMap { zip($0, $1).map { abs($0 - $1) } }.max()!
  }

  @Test(arguments: [Trace.hutchinson, .exactTangents, .exactProduct]) func convergesToTheExactGradient(trace: Trace)
    throws
  {
    let exact = try gradient(.everyStep, tolerance: 1e-11, trace: trace)
    // There are about ten steps, and each adds an error of at most its tolerance times a loss of size 1.
    for tolerance in [1e-5, 1e-8] {
      let found = try gradient(.continuous(), tolerance: tolerance, trace: trace)
      #expect(distance(found, exact) < 10 * tolerance)
      #expect(distance(found, exact) > 0, "it must not be the discrete gradient")
    }
    // Other tolerances for the backward solve only.
    let loose = try gradient(.continuous(rtol: 1e-3, atol: 1e-3), tolerance: 1e-8, trace: trace)
    #expect(distance(loose, exact) > 1e-8)
  }

  @Test func refusals() throws {
    #expect(throws: KernelError.self) { try gradient(.continuous(rtol: 0), tolerance: 1e-5) }
  }
}
