import NeuralODE
import PureSwift
import Testing

/// Compares the C kernels with `PureSwift`: two implementations of the same formulas.
///
/// Bounds: a solve of s steps makes about 10·s·(depth of the network) roundings of its state. Each is at most half an
/// ulp of the largest state, and the flow amplifies it by e^{Lipschitz·T} ≲ 30. For s = 8 and depth 4 that is about
/// 5,000 ulp in the worst case. If roundings are independent, it is the square root of their number times 30 ≈ 500 ulp.
@Suite struct AgreementTests {
  private static let stateUlps = 2_000.0
  /// Gradients also sum over samples, and pass through the network twice more.
  private static let gradientUlps = 20_000.0

  struct Case: CustomTestStringConvertible {
    let program: FieldProgram
    let trace: Trace
    let method: String
    let control: StepControl
    let name: String
    var probes = 1
    var regularisation = Regularisation.none
    var testDescription: String { "\(name), \(trace) K=\(probes), \(method), \(regularisation)" }
  }

  static let cases: [Case] = {
    var cases: [Case] = []
    for activation in Activation.allCases {
      for trace in [Trace.none, .hutchinson, .exactTangents, .exactProduct] {
        cases.append(
          Case(
            program: Fixtures.net(3, [24, 17], activation), trace: trace, method: "rk4", control: .fixed(steps: 8),
            name: "\(activation)"))
      }
      cases.append(
        Case(
          program: Fixtures.everyOperation(3, activation), trace: .hutchinson, method: "dopri5",
          control: .fixed(steps: 8), name: "every operation \(activation)"))
    }
    for method in Methods.rungeKutta {
      cases.append(
        Case(
          program: Fixtures.net(3, [24, 17], .tanh), trace: .hutchinson, method: method.name,
          control: .fixed(steps: 4), name: "tanh"))
    }
    return cases + regularised
  }()

  /// Every Runge-Kutta method (some have stages of weight 0) with every trace, with one probe and with several.
  private static let regularised: [Case] = regularisations.flatMap { regularisation in
    [(Trace.none, 1), (.hutchinson, 1), (.hutchinson, 11), (.exactTangents, 1), (.exactProduct, 1)].filter {
      regularisation.fits($0.0)
    }.flatMap { trace, probes in
      Methods.rungeKutta.map { method in
        Case(
          program: Fixtures.net(3, [24, 17], .tanh), trace: trace, method: method.name, control: .fixed(steps: 8),
          name: "tanh", probes: probes, regularisation: regularisation)
      }
        + [
          Fixtures.everyOperation(3, .silu), Fixtures.sideBySide(3, .softplus), Fixtures.linearField(3),
        ].filter { _ in trace != .exactProduct }.map { program in
          Case(
            program: program, trace: trace, method: "rk4", control: .fixed(steps: 8),
            name: "\(program.operations.count) operations", probes: probes, regularisation: regularisation)
        }
    }
  }

  private func compare<Scalar: FlowScalar>(_ test: Case, _: Scalar.Type) throws {
    let options = Fixtures.options(
      test.method, test.control, trace: test.trace, probes: test.probes, regularisation: test.regularisation)
    let c = try KernelSolver<Scalar>(program: test.program, options: options)
    let swift = try PureSwiftSolver<Scalar>(
      program: test.program, options: options, tableau: try Methods.named(test.method))
    #expect(c.resolvedTrace == swift.resolvedTrace)
    let problem = SolveProblem<Scalar>(
      parameters: Fixtures.parameters(for: test.program, seed: 61), states: Fixtures.normals(3 * 45, seed: 62),
      from: 1, to: 0, seed: 3, step: 5)
    let loss = Loss<Scalar>.standardNormalNegativeLogLikelihood(scale: 1.0 / 45)
    let a = try c.gradient(of: loss, regularisation: test.regularisation, at: problem)
    let b = try swift.gradient(of: loss, regularisation: test.regularisation, at: problem)
    func bound(_ ulps: Double, _ limit: Double, _ what: String) { #expect(ulps < limit, "\(what): \(ulps) ulp") }
    bound(largestDifference(a.solution.states, b.solution.states), Self.stateUlps, "states")
    bound(
      largestDifference(a.solution.logDeterminants.map { Scalar($0) }, b.solution.logDeterminants.map { Scalar($0) }),
      Self.stateUlps, "log-determinants")
    bound(
      largestDifference(a.solution.kineticEnergies.map { Scalar($0) }, b.solution.kineticEnergies.map { Scalar($0) }),
      Self.stateUlps, "kinetic energies")
    bound(
      largestDifference(a.solution.frobeniusNorms.map { Scalar($0) }, b.solution.frobeniusNorms.map { Scalar($0) }),
      Self.stateUlps, "Frobenius norms")
    #expect(a.solution.kineticEnergies.count == (test.regularisation.kineticEnergy == 0 ? 0 : 45))
    #expect(a.solution.frobeniusNorms.count == (test.regularisation.frobeniusNorm == 0 ? 0 : 45))
    bound(largestDifference(a.losses.map { Scalar($0) }, b.losses.map { Scalar($0) }), Self.stateUlps, "losses")
    bound(largestDifference(a.parameters, b.parameters), Self.gradientUlps, "parameters")
    bound(largestDifference(a.states, b.states), Self.gradientUlps, "initial states")
    bound(
      largestDifference(a.startTimes.map { Scalar($0) }, b.startTimes.map { Scalar($0) }), Self.gradientUlps, "t0")
    bound(largestDifference(a.endTimes.map { Scalar($0) }, b.endTimes.map { Scalar($0) }), Self.gradientUlps, "t1")
    #expect(a.solution.evaluations == b.solution.evaluations)
    #expect(a.solution.acceptedSteps == b.solution.acceptedSteps)
    #expect(a.solution.statuses == b.solution.statuses)
  }

  @Test(arguments: cases) func agreeInDouble(test: Case) throws { try compare(test, Double.self) }
  @Test(arguments: cases) func agreeInFloat(test: Case) throws { try compare(test, Float.self) }

  /// The step controllers agree too: each sample has the same accepted and rejected steps.
  @Test(arguments: [Trace.none, .exact, .hutchinson], [1e-3, 1e-5, 1e-7])
  func adaptiveStepsAreTheSame(trace: Trace, tolerance: Double) throws {
    for regularisation in [Regularisation.none] + regularisations where regularisation.fits(trace) {
      try compareSteps("dopri5", trace: trace, tolerance: tolerance, regularisation)
    }
  }

  @Test(arguments: Methods.rungeKutta.filter(\.isAdaptive).map(\.name))
  func adaptiveStepsOfEveryMethodAreTheSame(method: String) throws {
    try compareSteps(method, trace: .exact, tolerance: 1e-4, .none)
  }

  private func compareSteps(
    _ method: String, trace: Trace, tolerance: Double, _ regularisation: Regularisation
  ) throws {
    let program = Fixtures.net(2, [32, 32], .tanh)
    let options = Fixtures.options(
      method, .perSample(rtol: tolerance, atol: tolerance), trace: trace, regularisation: regularisation)
    let c = try KernelSolver<Double>(program: program, options: options)
    let swift = try PureSwiftSolver<Double>(program: program, options: options, tableau: try Methods.named(method))
    let problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 63, gain: 2), states: Fixtures.normals(2 * 200, seed: 64),
      from: 0, to: 1)
    let a = try c.solve(problem)
    let b = try swift.solve(problem)
    #expect(a.acceptedSteps == b.acceptedSteps)
    #expect(a.rejectedSteps == b.rejectedSteps)
    let tableau = try Methods.named(method)
    for sample in a.evaluations.indices {
      // The choice of the first step takes two evaluations. If a method is not FSAL, C evaluates all stages in every
      // attempt, because it does so for all lanes at once. PureSwift keeps the first stage for the first attempt and
      // after a rejected step.
      let (accepted, attempts) = (a.acceptedSteps[sample], a.acceptedSteps[sample] + a.rejectedSteps[sample])
      let first = tableau.isFirstSameAsLast ? 0 : attempts
      #expect(a.evaluations[sample] == 2 + (tableau.stages - 1) * attempts + first)
      #expect(b.evaluations[sample] == a.evaluations[sample] - (first == 0 ? 0 : attempts - accepted + 1))
    }
    // The length of a step depends on its estimated error, so rounding of the error changes the state by a fraction of
    // the tolerance.
    #expect(zip(a.states, b.states).allSatisfy { abs($0 - $1) < 1e-6 * tolerance + 1e-11 })
    let pairs = zip(a.kineticEnergies, b.kineticEnergies).map { ($0, $1) } + zip(a.frobeniusNorms, b.frobeniusNorms)
    #expect(pairs.allSatisfy { abs($0 - $1) < (1e-6 * tolerance + 1e-11) * max(1, abs($1)) })
  }
}
