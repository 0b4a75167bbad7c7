import FieldPrograms
import PureSwift
import Testing

/// Compares gradients of losses of field values with central differences, in double.
@Suite struct FieldGradientTests {
  private static let count = 7

  /// The step of differences of fourth order, as in `GradientTests`: the truncation error is 1e-20 and the rounding
  /// error 1e-11.
  private static let difference = 1e-5
  private static let tolerance = 1e-8

  @Test(arguments: [Trace.none, .hutchinson, .exactTangents, .exactProduct])
  func isThatOfDifferences(trace: Trace) throws {
    let program =
      trace == .exactProduct
      ? FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [5, 4], activation: .tanh)
      : Fixtures.residualProgram(dimension: 2, activation: .softplus)
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .fixed(steps: 1), trace: trace, tableau: Fixtures.rk4, probes: 2)
    let velocities: [Double] = Fixtures.normals(2 * Self.count, seed: 3)
    let divergences: [Double] = trace == .none ? [] : Fixtures.normals(Self.count, seed: 4)
    let targets: [Double] = Fixtures.normals(2 * Self.count, seed: 5)
    let weights = (0..<Self.count).map { 0.5 + Double($0) }
    let problem = SolveProblem<Double>(
      parameters: Fixtures.normals(program.parameterCount, seed: 6, scale: 0.7),
      states: Fixtures.normals(2 * Self.count, seed: 7), from: 0, to: 0, seed: 5,
      startTimes: Fixtures.normals(Self.count, seed: 8))

    func linear(_ problem: SolveProblem<Double>) throws -> Double {
      let (f, divergence) = try solver.evaluate(problem)
      return zip(velocities, f).map { $0 * $1 }.reduce(0, +) + zip(divergences, divergence).map { $0 * $1 }.reduce(0, +)
    }
    func squares(_ problem: SolveProblem<Double>) throws -> Double {
      let f = try solver.evaluate(problem).velocities
      return f.indices.map { weights[$0 / 2] * 0.25 * (f[$0] - targets[$0]) * (f[$0] - targets[$0]) }.reduce(0, +)
    }
    func check(
      _ loss: FieldLoss<Double>, _ value: (SolveProblem<Double>) throws -> Double
    ) throws -> FieldGradient<Double> {
      let gradient = try solver.fieldGradient(of: loss, at: problem)
      func expectSlope(_ found: Double, _ what: String, _ move: (inout SolveProblem<Double>, Double) -> Void) throws {
        func at(_ distance: Double) throws -> Double {
          var moved = problem
          move(&moved, distance)
          return try value(moved)
        }
        let h = Self.difference
        let slope = try (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
        #expect(relativeError(found, slope, floor: 1) < Self.tolerance, "\(what): \(found), by differences \(slope)")
      }
      for index in problem.parameters.indices {
        try expectSlope(gradient.parameters[index], "parameter \(index)") { $0.parameters[index] += $1 }
      }
      for index in problem.states.indices {
        try expectSlope(gradient.states[index], "state \(index)") { $0.states[index] += $1 }
      }
      for index in 0..<Self.count {
        try expectSlope(gradient.times[index], "time \(index)") { $0.startTimes![index] += $1 }
      }
      return gradient
    }
    _ = try check(.cotangents(velocities: velocities, divergences: divergences), linear)
    let gradient = try check(.squaredDistance(from: targets, weights: weights, scale: 0.5), squares)
    #expect(abs(try squares(problem) - gradient.losses.reduce(0, +)) < 1e-13)
  }
}

/// Compares the gradient with differences for samples that have their own times: forward, backward, and with t0 = t1.
@Suite struct SpanTests {
  @Test(arguments: [Regularisation.none, Regularisation(kineticEnergy: 0.2, frobeniusNorm: 0.9)])
  func gradientIsThatOfDifferences(regularisation: Regularisation) throws {
    let program = Fixtures.residualProgram(dimension: 2, activation: .tanh)
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .fixed(steps: 4), trace: .hutchinson, tableau: Fixtures.rk4, regularisation: regularisation)
    let problem = SolveProblem<Double>(
      parameters: Fixtures.normals(program.parameterCount, seed: 12, scale: 0.7),
      states: Fixtures.normals(2 * 3, seed: 13), from: .nan, to: .nan, seed: 5, startTimes: [0.9, -0.3, 0.4],
      endTimes: [0.2, 0.5, 1.1])
    let gradient = try solver.gradient(
      of: .cotangents(states: GradientTests.stateBars, logDeterminants: GradientTests.logDeterminantBars),
      regularisation: regularisation, at: problem)
    func slope(_ move: (inout SolveProblem<Double>, Double) -> Void) throws -> Double {
      func at(_ distance: Double) throws -> Double {
        var moved = problem
        move(&moved, distance)
        return GradientTests.loss(try solver.solve(moved), regularisation)
      }
      let h = GradientTests.difference
      return try (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    }
    for sample in 0..<3 {
      let start = try slope { $0.startTimes![sample] += $1 }
      let end = try slope { $0.endTimes![sample] += $1 }
      #expect(relativeError(gradient.startTimes[sample], start, floor: 0.1) < GradientTests.tolerance)
      #expect(relativeError(gradient.endTimes[sample], end, floor: 0.1) < GradientTests.tolerance)
    }
    for index in problem.parameters.indices {
      let found = try slope { $0.parameters[index] += $1 }
      #expect(relativeError(gradient.parameters[index], found, floor: 0.1) < GradientTests.tolerance)
    }
  }

  /// For a sample with t0 = t1, dL/dt1 follows from the field alone: f·x̄ + div·ℓ̄. dL/dt0 is its negative.
  @Test(arguments: [StepControl.fixed(steps: 2), .perSample(rtol: 1e-5, atol: 1e-5)])
  func noLength(control: StepControl) throws {
    let program = Fixtures.residualProgram(dimension: 2, activation: .tanh)
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, control, trace: .exactTangents, tableau: Fixtures.dopri5)
    let problem = SolveProblem<Double>(
      parameters: Fixtures.normals(program.parameterCount, seed: 12, scale: 0.7),
      states: Fixtures.normals(2 * 3, seed: 13), from: 0.5, to: 0.5, startTimes: [0.5, 0.1, 0.5],
      endTimes: [0.5, 1, 0.5])
    let gradient = try solver.gradient(
      of: .cotangents(states: GradientTests.stateBars, logDeterminants: GradientTests.logDeterminantBars), at: problem)
    let (f, divergence) = try solver.evaluate(problem)
    for sample in [0, 2] {
      #expect(gradient.solution.statuses[sample] == .ok && gradient.solution.smallestSteps[sample] == 0)
      #expect(gradient.solution.states[2 * sample] == problem.states[2 * sample])
      let rows = 2 * sample..<2 * sample + 2
      let expected =
        zip(f[rows], GradientTests.stateBars[rows]).map { $0 * $1 }.reduce(0, +)
        + divergence[sample] * GradientTests.logDeterminantBars[sample]
      #expect(relativeError(gradient.endTimes[sample], expected) < 1e-12)
      #expect(relativeError(gradient.startTimes[sample], -expected) < 1e-12)
    }
    #expect(abs(gradient.endTimes[1]) > 1e-3)
  }
}
