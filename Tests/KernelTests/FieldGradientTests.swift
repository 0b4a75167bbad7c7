import NeuralODE
import PureSwift
import Testing

/// The gradient of losses of the field itself. The C tests check the numbers (`Tests/C/field_gradient_test.c`); these
/// tests check that Swift passes them on, and that PureSwift gives the same.
@Suite struct FieldGradientTests {
  private static let count = 71

  private static func problem<Scalar: FlowScalar>(_ program: FieldProgram) -> SolveProblem<Scalar> {
    SolveProblem(
      parameters: Fixtures.parameters(for: program, seed: 3), states: Fixtures.normals(3 * count, seed: 4), from: 0,
      to: 1, seed: 9, startTimes: Fixtures.normals(count, seed: 5))
  }

  private static func losses<Scalar: FlowScalar>() -> [FieldLoss<Scalar>] {
    let weights: [Double] = Fixtures.normals(count, seed: 6)
    return [
      .squaredDistance(from: Fixtures.normals(3 * count, seed: 7), weights: weights.map(abs), scale: 0.1),
      .squaredDistance(from: Fixtures.normals(3 * count, seed: 7), scale: 0.1),
      .cotangents(velocities: Fixtures.normals(3 * count, seed: 8)),
      .cotangents(velocities: Fixtures.normals(3 * count, seed: 8), divergences: weights),
      .cotangents(velocities: [], divergences: weights),
    ]
  }

  private static func solvers<Scalar: FlowScalar>(
    _ program: FieldProgram, _ trace: Trace, threads: Int = 2, regularisation: Regularisation = .none, _: Scalar.Type
  ) throws -> (KernelSolver<Scalar>, PureSwiftSolver<Scalar>) {
    let options = Fixtures.options(
      "euler", .fixed(steps: 1), trace: trace, probes: 2, threads: threads, regularisation: regularisation)
    return (
      try KernelSolver(program: program, options: options),
      try PureSwiftSolver(program: program, options: options, tableau: try Methods.named("euler"))
    )
  }

  /// One evaluation and its backward pass make about a hundred roundings of sums over 71 samples, a fraction of those
  /// of the solves in `AgreementTests`.
  private static func compare<Scalar: FlowScalar>(
    _ program: FieldProgram, _ trace: Trace, _ regularisation: Regularisation, _: Scalar.Type
  ) throws {
    let (c, swift) = try solvers(program, trace, regularisation: regularisation, Scalar.self)
    for loss in losses() as [FieldLoss<Scalar>] {
      let a = try c.fieldGradient(of: loss, at: problem(program))
      let b = try swift.fieldGradient(of: loss, at: problem(program))
      let worst = [
        largestDifference(a.parameters, b.parameters), largestDifference(a.states, b.states),
        largestDifference(a.times.map { Scalar($0) }, b.times.map { Scalar($0) }),
        largestDifference(a.losses.map { Scalar($0) }, b.losses.map { Scalar($0) }),
      ]
      #expect(worst.allSatisfy { $0 < 2_000 }, "\(trace): \(worst) ulp")
      let isTarget = if case .squaredDistance = loss { true } else { false }
      #expect(a.losses.count == (isTarget ? count : 0) && b.losses.count == a.losses.count)
      #expect(a.times.count == count && a.states.count == 3 * count)
    }
  }

  @Test(arguments: [Trace.none, .hutchinson, .exactTangents, .exactProduct])
  func backendsAgree(trace: Trace) throws {
    try Self.compare(Fixtures.net(3, [9, 7], .tanh), trace, .none, Double.self)
    try Self.compare(Fixtures.net(3, [9, 7], .softplus), trace, .none, Float.self)
    let regularisation = Regularisation(kineticEnergy: 0.4, frobeniusNorm: 0.3)
    if regularisation.fits(trace) { try Self.compare(Fixtures.net(3, [9], .silu), trace, regularisation, Double.self) }
    if trace == .exactProduct { return }
    try Self.compare(Fixtures.everyOperation(3, .silu), trace, .none, Double.self)
    try Self.compare(Fixtures.sideBySide(3, .tanh), trace, .none, Double.self)
  }

  /// One Euler step of length 1 has the same gradient with respect to θ, in C with the same bits.
  @Test(arguments: [Trace.none, .hutchinson, .exactTangents, .exactProduct])
  func equalsTheGradientOfAnEulerStep(trace: Trace) throws {
    let program = Fixtures.net(3, [9, 7], .tanh)
    let (c, swift) = try Self.solvers(program, trace, Double.self)
    let velocities: [Double] = Fixtures.normals(3 * Self.count, seed: 8)
    let divergences: [Double] = Fixtures.normals(Self.count, seed: 6)
    let point: SolveProblem<Double> = Self.problem(program)
    var step = point
    step.startTimes = point.startTimes!.map { ($0 * 8).rounded() / 8 }
    step.endTimes = step.startTimes!.map { $0 + 1 }
    let stepLoss = Loss<Double>.cotangents(states: velocities, logDeterminants: divergences)
    let fieldLoss = FieldLoss<Double>.cotangents(velocities: velocities, divergences: divergences)
    let (a, b) = (try c.gradient(of: stepLoss, at: step), try c.fieldGradient(of: fieldLoss, at: step))
    #expect(bits(a.parameters) == bits(b.parameters))
    #expect(a.states == zip(velocities, b.states).map { $0 + $1 })
    let (d, e) = (try swift.gradient(of: stepLoss, at: step), try swift.fieldGradient(of: fieldLoss, at: step))
    #expect(largestDifference(d.parameters, e.parameters) < 100)
    #expect(largestDifference(d.states, zip(velocities, e.states).map { $0 + $1 }) < 4)
  }

  /// The number of threads changes no bit. The numbers of a sample are those that it has without the other samples.
  @Test(arguments: [Trace.hutchinson, .exactTangents, .exactProduct])
  func bitsDoNotDependOnThreadsAndOtherSamples(trace: Trace) throws {
    let program = Fixtures.net(3, [9, 7], .tanh)
    func check<Solver: FieldSolver<Double>>(_ make: (Int) throws -> Solver) throws {
      let problem: SolveProblem<Double> = Self.problem(program)
      let loss = (Self.losses() as [FieldLoss<Double>])[3]
      let whole = try make(1).fieldGradient(of: loss, at: problem)
      for threads in [2, 3] {
        let other = try make(threads).fieldGradient(of: loss, at: problem)
        #expect(bits(whole.parameters) == bits(other.parameters) && bits(whole.states) == bits(other.states))
        #expect(bits(whole.times) == bits(other.times))
      }
      guard case .cotangents(let velocities, let divergences) = loss else { return }
      for number in [0, 5, 70] {
        let rows = 3 * number..<3 * number + 3
        let one = SolveProblem<Double>(
          parameters: problem.parameters, states: Array(problem.states[rows]), from: problem.startTime(of: number),
          to: 0, seed: problem.seed, sampleIdentifiers: [UInt64(number)])
        let own = try make(1).fieldGradient(
          of: .cotangents(velocities: Array(velocities[rows]), divergences: [divergences[number]]), at: one)
        #expect(bits(own.states) == bits(Array(whole.states[rows])) && bits(own.times) == bits([whole.times[number]]))
      }
    }
    try check { try Self.solvers(program, trace, threads: $0, Double.self).0 }
    try check { try Self.solvers(program, trace, threads: $0, Double.self).1 }
  }

  /// A sample that is not finite has no gradient and no loss, and does not affect the others.
  @Test func samplesThatAreNotFinite() throws {
    let program = Fixtures.net(3, [9, 7], .tanh)
    let (c, swift) = try Self.solvers(program, .hutchinson, Double.self)
    let weights = (0..<Self.count).map { [0, 12, 70].contains($0) ? 0.0 : 1 }
    let targets: [Double] = Fixtures.normals(3 * Self.count, seed: 7)
    var problem: SolveProblem<Double> = Self.problem(program)
    func check<Solver: FieldSolver<Double>>(_ solver: Solver) throws {
      let without = try solver.fieldGradient(
        of: .squaredDistance(from: targets, weights: weights, scale: 1), at: problem)
      var bad = problem
      for number in [0, 12, 70] { bad.states[3 * number + number % 3] = number == 12 ? .infinity : .nan }
      let with = try solver.fieldGradient(of: .squaredDistance(from: targets, scale: 1), at: bad)
      #expect(with.parameters == without.parameters)
      for number in 0..<Self.count {
        #expect(with.losses[number].isNaN == [0, 12, 70].contains(number))
        #expect(Array(with.states[3 * number..<3 * number + 3]) == Array(without.states[3 * number..<3 * number + 3]))
        #expect(with.times[number] == without.times[number])
      }
    }
    try check(c)
    try check(swift)
    problem.startTimes?[3] = .nan
    #expect(throws: KernelError.self) { try c.fieldGradient(of: .cotangents(velocities: []), at: problem) }
    #expect(throws: PureSwiftError.self) { try swift.fieldGradient(of: .cotangents(velocities: []), at: problem) }
  }
}
