import CLibrary
import FieldPrograms
import PureSwift
import Testing

@Suite struct StepControlTests {
  /// x' = tanh(x + 10t) − tanh(10t) is at rest at 0, where its divergence is 1 − tanh²(10t).
  static let program = FieldProgram.multilayerPerceptron(stateDimension: 1, hidden: [2], activation: .tanh)
  static let resting = SolveProblem<Double>(
    parameters: [1, 10, 0, 10, 0, 0, 1, -1, 0], states: [0], from: 0, to: 1)

  static func solver(_ change: (inout SolverOptions) -> Void) throws -> PureSwiftSolver<Double> {
    var options = SolverOptions(control: .perSample(rtol: 1e-8, atol: 1e-8), threads: 1)
    change(&options)
    return try PureSwiftSolver(program: program, options: options, tableau: Fixtures.dopri5)
  }

  @Test func logDeterminantIsPartOfTheError() throws {
    let exact = tanh(10.0) / 10
    let including = try Self.solver { _ in }.solve(Self.resting)
    let excluding = try Self.solver { $0.errorNormIncludesLogDeterminant = false }.solve(Self.resting)
    #expect(including.states == [0] && excluding.states == [0])
    // Some tens of steps, each of which errs by at most the tolerance.
    #expect(abs(including.logDeterminants[0] - exact) <= 100 * 1e-8)
    #expect(abs(excluding.logDeterminants[0] - exact) > 1e-5, "the state alone gives no reason for small steps")
    #expect(excluding.acceptedSteps[0] < including.acceptedSteps[0])
  }

  /// Adaptive steps reuse stages and fixed steps do not. Both add the same terms, in different orders.
  @Test(arguments: [true, false]) func acceptedFractionsTakeTheSameSteps(_ isIncluded: Bool) throws {
    var problem = Self.resting
    problem.states = [0.7]
    let adaptive = try Self.solver {
      $0.control = .perSample(rtol: 1e-4, atol: 1e-4)
      $0.errorNormIncludesLogDeterminant = isIncluded
    }
    let solution = try adaptive.solve(problem)
    problem.stepFractions = try adaptive.acceptedStepFractions(problem)[0]
    let replayed = try Self.solver { $0.control = .fixed(steps: 0) }.solve(problem)
    let rounding = 1e-13
    #expect(abs(solution.states[0] - replayed.states[0]) <= rounding)
    #expect(abs(solution.logDeterminants[0] - replayed.logDeterminants[0]) <= rounding)
  }

  @Test func givenFirstStep() throws {
    var problem = Self.resting
    problem.states = [0.7]
    let solver = try Self.solver {
      $0.initialStep = 1.0 / 1024
      $0.control = .perSample(rtol: 1e-4, atol: 1e-4)
    }
    #expect(try solver.acceptedStepFractions(problem)[0][1] == 1.0 / 1024)
    let solution = try solver.solve(problem)
    #expect(solution.evaluations[0] == 1 + 6 * (solution.acceptedSteps[0] + solution.rejectedSteps[0]))
    let long = try Self.solver {
      $0.initialStep = 50
      $0.control = .perSample(rtol: 1, atol: 1)
    }
    #expect(try long.solve(problem).acceptedSteps == [1], "no longer than the interval")
  }

  @Test func stepsBelowTheSmallestEndTheSample() throws {
    var problem = Self.resting
    problem.states = [0.7]
    let solver = try Self.solver {
      $0.control = .perSample(rtol: 1e-12, atol: 1e-12)
      $0.initialStep = 0.5
      $0.minimumStep = 0.5
    }
    let solution = try solver.solve(problem)
    #expect(solution.statuses == [.stepTooSmall] && solution.rejectedSteps == [1])
    #expect(solution.states == [0.7] && solution.timesReached == [0])
  }

  /// The step-size controller, written out for x' = −x, x(0) = 1 on [0, 2]. Returns the ends of the accepted steps and
  /// the number of rejections.
  private static func plainLoop(_ tolerance: Double, _ tableau: ButcherTableau) -> (ends: [Double], rejected: Int) {
    let inverseOrder = 1 / Double(tableau.embeddedOrder + 1)
    // d₀ = d₁ = 1/s; h₀ = 0.01; f₁ − f₀ = h₀, so d₂ = 1/s. The unit of time is 2, the span and twice d₀/d₁.
    let scale = tolerance + tolerance
    var step = min(1, 2 * pow(0.01 * scale / 4, inverseOrder))
    var (time, state, ends, rejected) = (0.0, 1.0, [0.0], 0)
    while time < 2 {
      let isLast = time + step >= 2 * (1 - 1e-12)
      if isLast { step = 2 - time }
      var velocities: [Double] = []
      for row in tableau.a {
        velocities.append(-(state + step * zip(row, velocities).map { $0 * $1 }.reduce(0, +)))
      }
      let next = state + step * zip(tableau.b, velocities).map { $0 * $1 }.reduce(0, +)
      let error = step * zip(tableau.e, velocities).map { $0 * $1 }.reduce(0, +)
      let ratio = abs(error) / (tolerance + tolerance * max(abs(state), abs(next)))
      if ratio <= 1 {
        time = isLast ? 2 : time + step
        state = next
        ends.append(time / 2)
      } else {
        rejected += 1
      }
      step *= min(10, max(0.9 * pow(ratio, -inverseOrder), ratio < 1 ? 1 : 0.2))
    }
    return (ends, rejected)
  }

  @Test(arguments: [Fixtures.dopri5, Fixtures.midpointEuler]) func stepsAreThoseOfThePlainLoop(
    _ tableau: ButcherTableau
  )
    throws
  {
    let tolerance = 1e-4
    let program = FieldProgram.multilayerPerceptron(
      stateDimension: 1, hidden: [], activation: .identity, seesTime: false)
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .perSample(rtol: tolerance, atol: tolerance), trace: .none, tableau: tableau)
    let problem = SolveProblem<Double>(parameters: [-1, 0], states: [1], from: 0, to: 2)
    let (ends, rejected) = Self.plainLoop(tolerance, tableau)
    let found = try solver.acceptedStepFractions(problem)[0]
    #expect(found.count == ends.count && found.count > 3)
    // The bound covers the rounding of an error estimate, which is a difference of numbers near 1, relative to the
    // tolerance of 1e-4.
    for (a, b) in zip(found, ends) { #expect(abs(a - b) <= 1e-9) }
    #expect(try solver.solve(problem).rejectedSteps == [rejected])
  }
}
