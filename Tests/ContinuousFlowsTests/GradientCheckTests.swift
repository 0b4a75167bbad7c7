import Testing

@testable import ContinuousFlows

/// Tests the check that users run. Correct gradients pass it closely, for every trace and with fixed or adaptive steps.
@Suite struct GradientCheckTests {
  struct Case: CustomTestStringConvertible {
    let trace: Trace
    let method: String
    let control: StepControl
    var regularisation = Regularisation.none
    var backend = Backend.c
    var testDescription: String { "\(trace), \(method), \(control), \(regularisation), \(backend)" }
  }

  static let cases: [Case] =
    [Trace.hutchinson, .exactTangents, .exactProduct].flatMap { trace in
      [
        Case(trace: trace, method: "rk4", control: .fixed(steps: 6)),
        Case(trace: trace, method: "dopri5", control: .perSample(rtol: 1e-4, atol: 1e-4)),
        Case(trace: trace, method: "dopri5", control: .perSample(rtol: 1e-4, atol: 1e-4), backend: .swift),
      ]
    }
    + [
      Case(trace: .exactTangents, method: "rodas4", control: .fixed(steps: 6)),
      Case(trace: .exactTangents, method: "rodas4", control: .perSample(rtol: 1e-4, atol: 1e-4)),
    ]
    + Backend.allCases.flatMap { backend in
      [StepControl.fixed(steps: 6), .perSample(rtol: 1e-4, atol: 1e-4)].map {
        Case(
          trace: .hutchinson, method: "dopri5", control: $0,
          regularisation: Regularisation(kineticEnergy: 0.3, frobeniusNorm: 0.2), backend: backend)
      }
    }

  @Test(arguments: cases) func gradientsAreThoseOfDifferences(test: Case) throws {
    let flow = ContinuousFlow(dimension: 3, hidden: [12, 9], activation: .tanh, endTime: 0.7, seed: 5)
    let samples = SampleMatrix(
      count: 3, dimension: 3, values: [0.3, -1.1, 0.8, 1.9, 0.2, -0.4, -0.7, 0.6, 1.3])
    let check = try GradientCheck(
      of: flow, at: samples,
      options: SolverOptions(method: test.method, control: test.control, trace: test.trace),
      regularisation: test.regularisation, backend: test.backend, seed: 3)
    #expect(check.worstError < GradientCheck.tolerance && check.isDiscreteRight, "\(check.rows)")
    #expect(check.isContinuousRight, "\(check.rows)")
    #expect(check.trace == test.trace)
    // The rows are weight and bias of three layers, a random direction, the states and both times. None of them is
    // trivially correct.
    #expect(check.rows.count == 10)
    #expect(check.rows.allSatisfy { $0.discrete != 0 && $0.continuous != 0 && $0.differences != 0 })
    // The continuous gradient differs from the discrete one, by the error of steps of this size.
    let (continuous, refined) = (try #require(check.worstContinuousError), try #require(check.worstRefinedError))
    #expect(continuous > check.worstError && continuous < 1e-2)
    // The bound is a hundred tolerances of the finer steps, 1e-7. With 24 steps of order 4 the error is 4⁻⁴ of that
    // with six steps; half of that is allowed in addition.
    #expect(refined < (test.control == .fixed(steps: 6) ? continuous / 128 : 1e-5))
  }

  /// The loss uses the flow's base, and its mean includes the regularisers.
  @Test(arguments: bases, Backend.allCases) func lossIsOfTheBase(base: BaseDistribution, backend: Backend) throws {
    var flow = ContinuousFlow(dimension: 2, hidden: [12, 9], activation: .tanh, endTime: 0.7, seed: 5)
    let samples = SampleMatrix(count: 3, dimension: 2, values: [0.3, -1.1, 1.9, 0.2, -0.7, 0.6])
    func check() throws -> GradientCheck {
      try GradientCheck(
        of: flow, at: samples,
        options: SolverOptions(method: "dopri5", control: .fixed(steps: 6), trace: .hutchinson),
        regularisation: Regularisation(kineticEnergy: 0.3, frobeniusNorm: 0.2), backend: backend, seed: 3)
    }
    let plain = try check()
    flow.base = base
    let based = try check()
    #expect(based.isDiscreteRight && based.isContinuousRight, "\(based.rows)")
    #expect(based.rows.allSatisfy { $0.discrete != 0 && $0.continuous != 0 })
    #expect(zip(plain.rows, based.rows).allSatisfy { $0.discrete != $1.discrete })
  }

  static let bases: [BaseDistribution] = [
    .gaussian(mean: [0.4, -0.2], deviation: [0.7, 1.6]),
    .fullGaussian(mean: [0.4, -0.2], factor: [0.7, 0, 0.5, 1.2]),
    .mixture(
      weights: [0.25, 0.75], means: StateMatrix(count: 2, dimension: 2, values: [1, 0, -0.5, 0.3]),
      deviations: StateMatrix(count: 2, dimension: 2, values: [0.6, 1, 0.9, 1.4])),
  ]

  /// For methods without a continuous adjoint, the check leaves it out.
  @Test(arguments: ["reversible_heun"]) func methodsWithoutAContinuousGradient(method: String) throws {
    let check = try GradientCheck(
      of: TrainingFixture.flow, at: TrainingFixture.split.test.samples.rows(0..<2),
      options: SolverOptions(method: method, control: .fixed(steps: 6), trace: .exact))
    #expect(check.rows.allSatisfy { $0.continuous == nil && $0.refinedError == nil && $0.discrete != 0 })
    #expect(check.isDiscreteRight && check.isContinuousRight && check.worstContinuousError == nil, "\(check)")
  }

  /// The check finds a continuous gradient that finer steps do not improve.
  @Test func convergenceIsAsked() {
    func row(_ continuous: Double, refined: Double) -> GradientCheck.Row {
      GradientCheck.Row(
        name: "", count: 1, discrete: 1, continuous: continuous, differences: 1, refinedError: refined, allowance: 1e-7)
    }
    #expect(row(1.01, refined: 1e-4).isConverging && row(1 + 1e-9, refined: 2e-9).isConverging)
    #expect(!row(1.01, refined: 8e-3).isConverging && !row(-1, refined: 2).isConverging)
    #expect(!row(.nan, refined: .infinity).isConverging)
  }

  /// Differences across the kinks of relu are not the derivative: the check can fail.
  @Test func kinksAreSeen() throws {
    let flow = ContinuousFlow(dimension: 2, hidden: [400, 400], activation: .relu, seed: 1)
    let samples = SampleMatrix(count: 8, dimension: 2, values: (0..<16).map { Double($0 % 5) - 2 })
    let check = try GradientCheck(
      of: flow, at: samples, options: SolverOptions(method: "rk4", control: .fixed(steps: 8), trace: .exactProduct))
    #expect(check.worstError > GradientCheck.tolerance)
  }
}
