import ContinuousFlows
import Testing

/// The check that users run: right gradients pass it closely, for every trace and either control.
@Suite struct GradientCheckTests {
  struct Case: CustomTestStringConvertible {
    let trace: Trace
    let method: String
    let control: StepControl
    var testDescription: String { "\(trace), \(method), \(control)" }
  }

  static let cases: [Case] = [Trace.hutchinson, .exactTangents, .exactProduct].flatMap { trace in
    [
      Case(trace: trace, method: "rk4", control: .fixed(steps: 6)),
      Case(trace: trace, method: "dopri5", control: .perSample(rtol: 1e-4, atol: 1e-4)),
    ]
  }

  @Test(arguments: cases) func gradientsAreThoseOfDifferences(test: Case) throws {
    let flow = ContinuousFlow(dimension: 3, hidden: [12, 9], activation: .tanh, endTime: 0.7, seed: 5)
    let samples = SampleMatrix(
      count: 3, dimension: 3, values: [0.3, -1.1, 0.8, 1.9, 0.2, -0.4, -0.7, 0.6, 1.3])
    let check = try GradientCheck(
      of: flow, at: samples,
      options: SolverOptions(method: test.method, control: test.control, trace: test.trace), seed: 3)
    #expect(check.worstError < GradientCheck.tolerance, "\(check.rows)")
    #expect(check.trace == test.trace)
    // Weight and bias of three layers, a random direction, states, both times; and none of them is trivially right.
    #expect(check.rows.count == 10)
    #expect(check.rows.allSatisfy { $0.gradient != 0 && $0.differences != 0 })
  }

  /// Differences that reach across relu's kinks are not the derivative there: the check can say no.
  @Test func kinksAreSeen() throws {
    let flow = ContinuousFlow(dimension: 2, hidden: [400, 400], activation: .relu, seed: 1)
    let samples = SampleMatrix(count: 8, dimension: 2, values: (0..<16).map { Float($0 % 5) - 2 })
    let check = try GradientCheck(
      of: flow, at: samples, options: SolverOptions(method: "rk4", control: .fixed(steps: 8), trace: .exactProduct))
    #expect(check.worstError > GradientCheck.tolerance)
  }
}
