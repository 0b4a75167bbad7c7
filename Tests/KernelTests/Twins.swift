import NeuralODE
import PureSwift
import Testing

/// A `KernelSolver` and a `PureSwiftSolver` with the same program and options, and comparisons of their results.
struct Twins<Scalar: FlowScalar> {
  let c: KernelSolver<Scalar>
  let swift: PureSwiftSolver<Scalar>

  init(_ program: FieldProgram, _ options: SolverOptions) throws {
    c = try KernelSolver<Scalar>(program: program, options: options)
    swift = try PureSwiftSolver<Scalar>(
      program: program, options: options, tableau: try Methods.named(options.method),
      startingTableau: try Methods.named(PureSwiftSolver<Scalar>.startingMethod))
    #expect(c.resolvedTrace == swift.resolvedTrace)
  }

  /// The largest allowed differences, in units of `ulp` of the largest element.
  struct Bounds {
    let state: Double
    let gradient: Double
  }

  func expectEqualSolutions(_ problem: SolveProblem<Scalar>, _ bounds: Bounds, _ name: String) throws {
    expectEqual(try c.solve(problem), try swift.solve(problem), bounds, name)
  }

  func expectEqualGradients(
    of loss: Loss<Scalar>, _ regularisation: Regularisation, at problem: SolveProblem<Scalar>, _ bounds: Bounds,
    _ name: String
  ) throws {
    let a = try c.gradient(of: loss, regularisation: regularisation, at: problem)
    let b = try swift.gradient(of: loss, regularisation: regularisation, at: problem)
    expectEqual(a.solution, b.solution, bounds, name)
    #expect(a.solution.adjointEvaluations == b.solution.adjointEvaluations, "\(name)")
    func expect(_ a: [Double], _ b: [Double], _ what: String) { self.expect(a, b, bounds.gradient, "\(name), \(what)") }
    expect(a.losses, b.losses, "losses")
    expect(a.parameters.map { Double($0) }, b.parameters.map { Double($0) }, "parameters")
    expect(a.states.map { Double($0) }, b.states.map { Double($0) }, "initial states")
    expect(a.startTimes, b.startTimes, "t0")
    expect(a.endTimes, b.endTimes, "t1")
    expect(a.outputTimes, b.outputTimes, "output times")
    #expect(b.parameters.contains { $0 != 0 }, "\(name)")
  }

  private func expectEqual(_ a: Solution<Scalar>, _ b: Solution<Scalar>, _ bounds: Bounds, _ name: String) {
    #expect(a.statuses == b.statuses, "\(name)")
    #expect(a.acceptedSteps == b.acceptedSteps, "\(name)")
    #expect(a.rejectedSteps == b.rejectedSteps, "\(name)")
    func expect(_ a: [Double], _ b: [Double], _ what: String) { self.expect(a, b, bounds.state, "\(name), \(what)") }
    expect(a.states.map { Double($0) }, b.states.map { Double($0) }, "states")
    expect(a.logDeterminants, b.logDeterminants, "log-determinants")
    expect(a.kineticEnergies, b.kineticEnergies, "kinetic energies")
    expect(a.frobeniusNorms, b.frobeniusNorms, "Frobenius norms")
    expect(a.statesAtTimes.map { Double($0) }, b.statesAtTimes.map { Double($0) }, "states at times")
    expect(a.logDeterminantsAtTimes, b.logDeterminantsAtTimes, "log-determinants at times")
  }

  private func expect(_ a: [Double], _ b: [Double], _ bound: Double, _ what: String) {
    let ulps = largestDifference(a.map { Scalar($0) }, b.map { Scalar($0) })
    #expect(ulps < bound, "\(what): \(ulps) ulp")
  }
}

extension Twins.Bounds {
  /// The bounds for fixed steps, which `AgreementTests` derives.
  static var fixed: Self { Self(state: 2_000, gradient: 20_000) }
  /// The bounds for adaptive steps in Double with this tolerance.
  ///
  /// A step that is much shorter than its tolerance allows, for example the first one, has an error close to rounding.
  /// With an estimate of order 8, and an error of 1e-8 of a tolerance of 1e-6, rounding is some percent of the error.
  /// So the length and error of the next step differ by some percent too, and states differ by some percent of a local
  /// error, which is below the tolerance. A thousandth of the tolerance is allowed, in ulps of 1. Gradients are allowed
  /// ten times as much, as for fixed steps.
  static func adaptive(tolerance: Double) -> Self {
    let state = 1e-3 * tolerance / Double.ulpOfOne
    return Self(state: state, gradient: 10 * state)
  }
}
