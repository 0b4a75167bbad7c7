import CLibrary
import FieldPrograms
import PureSwift
import Testing

/// Tests the continuous adjoint: closed forms, the order of fixed steps, the tolerance of adaptive steps, equal bits.
@Suite struct ContinuousAdjointTests {
  private static let dimension = 2
  private static let program = FieldProgram.multilayerPerceptron(
    stateDimension: dimension, hidden: [6, 5], activation: .softplus)

  private static func solver(
    _ program: FieldProgram, _ control: StepControl, _ tableau: ButcherTableau, _ adjoint: AdjointSchedule,
    trace: Trace = .exact, regularisation: Regularisation = .none, threads: Int = 1, maximumSteps: Int = 4096
  ) throws -> PureSwiftSolver<Double> {
    try PureSwiftSolver(
      program: program,
      options: SolverOptions(
        method: tableau.name, control: control, maximumSteps: maximumSteps, trace: trace, threads: threads,
        integratesKineticEnergy: regularisation.kineticEnergy != 0,
        integratesFrobeniusNorm: regularisation.frobeniusNorm != 0, adjoint: adjoint),
      tableau: tableau)
  }

  private static func numbers(_ gradient: Gradient<Double>) -> [Double] {
    gradient.parameters + gradient.states + gradient.startTimes + gradient.endTimes
  }

  private static func distance(_ a: Gradient<Double>, _ b: Gradient<Double>) -> Double {
    zip(numbers(a), numbers(b)).map { abs($0 - $1) }.max() ?? .nan
  }

  /// For x′ = a x + b and the loss c x(T) + d ℓ(T): ∂/∂x₀ is c e^{aT}. With b = 0, ∂/∂a is c T e^{aT} x₀ + d T and ∂/∂b
  /// is c (e^{aT} − 1)/a. ∂/∂T is c a e^{aT} x₀ + d a, and ∂/∂t0 is its negative.
  @Test func closedForm() throws {
    var program = FieldProgram(stateDimension: 1)
    program.append(.linear(input: .state, rows: 1, activation: .identity))
    let (a, c, d, time, start, tolerance) = (-0.8, 1.7, 0.6, 1.25, 2.0, 1e-9)
    let solver = try Self.solver(
      program, .perSample(rtol: tolerance, atol: tolerance), Fixtures.dopri5, .continuous())
    let gradient = try solver.gradient(
      of: .cotangents(states: [c], logDeterminants: [d]),
      at: SolveProblem(parameters: [a, 0], states: [start], from: 0.5, to: 0.5 + time))
    let growth = exp(a * time)
    let slope = c * a * growth * start + d * a
    let expected = [
      c * time * growth * start + d * time, c * (growth - 1) / a, c * growth, -slope, slope,
    ]
    for (found, exact) in zip(Self.numbers(gradient), expected) {
      #expect(abs(found - exact) <= 100 * tolerance, "\(found) and \(exact)")
    }
  }

  static let traces: [(Trace, Regularisation)] = [
    (.none, .none), (.hutchinson, .none), (.exactTangents, .none), (.exactProduct, .none),
    (.hutchinson, Regularisation(kineticEnergy: 0.4, frobeniusNorm: 0.3)),
    (.exactTangents, Regularisation(kineticEnergy: 0.4, frobeniusNorm: 0.3)),
  ]

  /// With fixed steps of rk4, the continuous gradient differs from the exact gradient of a fine solve by O(h⁴).
  @Test(arguments: traces) func fixedStepsHaveTheirOrder(trace: Trace, regularisation: Regularisation) throws {
    let problem = GradientTests.problem(Self.program)
    func gradient(_ steps: Int, _ adjoint: AdjointSchedule) throws -> Gradient<Double> {
      try Self.solver(
        Self.program, .fixed(steps: steps), Fixtures.rk4, adjoint, trace: trace, regularisation: regularisation
      ).gradient(
        of: .cotangents(states: GradientTests.stateBars, logDeterminants: GradientTests.logDeterminantBars),
        regularisation: regularisation, at: problem)
    }
    let exact = try gradient(400, .everyStep)
    let errors = try [10, 20].map { Self.distance(try gradient($0, .continuous()), exact) }
    let slope = log2(errors[0] / errors[1])
    #expect(abs(slope - 4) <= 0.2, "slope \(slope) of \(errors)")
  }

  /// With adaptive steps, the continuous gradient converges to the exact one with its tolerance. The schedule's own
  /// tolerances apply to the backward pass only.
  @Test(arguments: traces) func comesToTheExactGradient(trace: Trace, regularisation: Regularisation) throws {
    let problem = GradientTests.problem(Self.program)
    func gradient(_ tolerance: Double, _ adjoint: AdjointSchedule) throws -> Gradient<Double> {
      let solver = try Self.solver(
        Self.program, .perSample(rtol: tolerance, atol: tolerance), Fixtures.dopri5, adjoint, trace: trace,
        regularisation: regularisation)
      let found = try solver.gradient(
        of: .cotangents(states: GradientTests.stateBars, logDeterminants: GradientTests.logDeterminantBars),
        regularisation: regularisation, at: problem)
      #expect(found.solution.statuses.allSatisfy { $0 == .ok })
      return found
    }
    let exact = try gradient(1e-11, .everyStep)
    let size = Self.numbers(exact).map { abs($0) }.max() ?? 1
    // About ten steps each err by at most their tolerance, relative to the size of the gradient.
    for tolerance in [1e-5, 1e-8] {
      let distance = try Self.distance(gradient(tolerance, .continuous()), exact)
      #expect(distance < 10 * tolerance * max(size, 1) && distance > 0, "\(distance / tolerance) tolerances")
    }
    let (loose, tight) = try (
      gradient(1e-9, .continuous(rtol: 1e-3, atol: 1e-3)), gradient(1e-9, .continuous())
    )
    #expect(loose.solution.states == tight.solution.states)
    #expect(loose.solution.adjointEvaluations[0] < tight.solution.adjointEvaluations[0])
    #expect(Self.distance(loose, exact) > Self.distance(tight, exact))
  }

  /// Gradients do not depend on the number of threads. A sample's own gradients do not depend on its neighbours.
  @Test func bits() throws {
    let count = 70
    var problem = SolveTests.problem(count: count)
    problem.parameters = Fixtures.normals(Self.program.parameterCount, seed: 30)
    problem.sampleIdentifiers = (0..<count).map { UInt64($0) }
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1.0 / 70)
    func gradient(_ problem: SolveProblem<Double>, threads: Int) throws -> Gradient<Double> {
      try Self.solver(
        Self.program, .perSample(rtol: 1e-5, atol: 1e-5), Fixtures.dopri5, .continuous(), trace: .hutchinson,
        threads: threads
      ).gradient(of: loss, at: problem)
    }
    let one = try gradient(problem, threads: 1)
    #expect(try gradient(problem, threads: 3).parameters == one.parameters)
    var few = problem
    few.states = Array(problem.states[20..<26])
    few.sampleIdentifiers = [10, 11, 12]
    let alone = try gradient(few, threads: 1)
    #expect(alone.states == Array(one.states[20..<26]) && alone.startTimes == Array(one.startTimes[10..<13]))
    #expect(alone.endTimes == Array(one.endTimes[10..<13]))
  }

  /// x′ = −60 x reaches its end, but its backward pass from 1 grows as e^{60} and needs too many steps. That sample
  /// keeps its end state and its loss, and adds nothing to the gradient. The other sample has the gradient that it has
  /// alone.
  @Test func samplesThatDoNotGetBack() throws {
    var program = FieldProgram(stateDimension: 1)
    program.append(.linear(input: .state, rows: 1, activation: .identity))
    let solver = try Self.solver(
      program, .perSample(rtol: 1e-4, atol: 1e-4), Fixtures.dopri5, .continuous(rtol: 1e-9, atol: 1e-12),
      maximumSteps: 60)
    func gradient(_ states: [Double]) throws -> Gradient<Double> {
      try solver.gradient(
        of: .standardNormalNegativeLogLikelihood(scale: 1),
        at: SolveProblem(parameters: [-60, 0], states: states, from: 0, to: 1))
    }
    let both = try gradient([1, 0])
    #expect(both.solution.statuses[0] == .maximumSteps && both.solution.timesReached[0] > 0)
    #expect(both.losses[0].isFinite && both.states[0] == 0 && both.solution.adjointEvaluations[0] == 0)
    let alone = try gradient([0])
    #expect(both.solution.statuses[1] == alone.solution.statuses[0])
    #expect(both.states[1] == alone.states[0] && both.parameters == alone.parameters)
  }
}
