import CLibrary
import FieldPrograms
import PureSwift
import Testing

@Suite struct SolveTests {
  static let program = FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [6, 5], activation: .tanh)

  static func problem(count: Int, seed: UInt64 = 31) -> SolveProblem<Double> {
    SolveProblem(
      parameters: Fixtures.normals(program.parameterCount, seed: 30), states: Fixtures.normals(count * 2, seed: seed),
      from: 0, to: 1)
  }

  /// The slope of log error over log h is within 0.2 of the order, for states and log-determinants.
  @Test func rk4ConvergesWithOrderFour() throws {
    let problem = Self.problem(count: 2)
    func solve(_ steps: Int) throws -> [Double] {
      let solver: PureSwiftSolver<Double> = try Fixtures.solver(
        Self.program, .fixed(steps: steps), trace: .exact, tableau: Fixtures.rk4)
      let solution = try solver.solve(problem)
      #expect(solution.evaluations == [4 * steps, 4 * steps] && solution.acceptedSteps == [steps, steps])
      return solution.states + solution.logDeterminants
    }
    let reference = try solve(512)
    func error(_ steps: Int) throws -> Double {
      zip(try solve(steps), reference).map { abs($0 - $1) }.max() ?? .nan
    }
    let slope = try log2(error(32) / error(64))
    #expect(abs(slope - 4) <= 0.2, "slope \(slope)")
  }

  /// A solve forward and back returns to its start: each direction is accurate to a few tolerances.
  @Test func backwardUndoesForward() throws {
    let tolerance = 1e-9
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      Self.program, .perSample(rtol: tolerance, atol: tolerance), trace: .exact, tableau: Fixtures.dopri5)
    let there = Self.problem(count: 5)
    let middle = try solver.solve(there)
    var back = there
    back.states = middle.states
    (back.startTime, back.endTime) = (there.endTime, there.startTime)
    let end = try solver.solve(back)
    for (a, b) in zip(end.states, there.states) { #expect(abs(a - b) <= 100 * tolerance) }
    for (a, b) in zip(end.logDeterminants, middle.logDeterminants) { #expect(abs(a + b) <= 100 * tolerance) }
    #expect(end.timesReached.allSatisfy { $0 == there.startTime })
  }

  @Test func evaluationsOfMethodsWithoutReuse() throws {
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      Self.program, .perSample(rtol: 1e-4, atol: 1e-4), trace: .none, tableau: Fixtures.midpointEuler)
    let solution = try solver.solve(Self.problem(count: 3))
    for sample in 0..<3 {
      // The choice of the first step takes two evaluations; f₀ is also the first stage. A rejected step's first stage
      // is used again.
      let attempts = solution.acceptedSteps[sample] + solution.rejectedSteps[sample]
      #expect(solution.evaluations[sample] == 2 + attempts + solution.acceptedSteps[sample] - 1)
    }
  }

  @Test func stepFractionsPlaceTheSteps() throws {
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      Self.program, .fixed(steps: 4), trace: .exact, tableau: Fixtures.rk4)
    let equal = Self.problem(count: 3)
    var spelled = equal
    spelled.stepFractions = [0, 0.25, 0.5, 0.75, 1]
    #expect(try solver.solve(equal).states == solver.solve(spelled).states)
    #expect(try solver.acceptedStepFractions(equal) == Array(repeating: [0, 0.25, 0.5, 0.75, 1], count: 3))
    spelled.stepFractions = [0, 0.1, 1]
    #expect(try solver.solve(spelled).acceptedSteps == [2, 2, 2])
  }

  @Test func emptyIntervalsAndBatches() throws {
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      Self.program, .perSample(rtol: 1e-5, atol: 1e-5), trace: .exact, tableau: Fixtures.dopri5)
    var problem = Self.problem(count: 3)
    problem.endTime = problem.startTime
    let still = try solver.gradient(
      of: .cotangents(states: problem.states, logDeterminants: [1, 2, 3]), at: problem)
    #expect(still.solution.states == problem.states && still.solution.logDeterminants == [0, 0, 0])
    #expect(still.states == problem.states && still.parameters.allSatisfy { $0 == 0 })
    problem.states = []
    let nothing = try solver.gradient(of: .standardNormalNegativeLogLikelihood(scale: 1), at: problem)
    #expect(nothing.solution.states.isEmpty && nothing.parameters.count == problem.parameters.count)
  }

  @Test func mistakesAreNamed() throws {
    let fixed = SolverOptions(method: "rk4", control: .fixed(steps: 1))
    func make(_ program: FieldProgram, _ options: SolverOptions) throws -> PureSwiftSolver<Double> {
      try PureSwiftSolver(program: program, options: options, tableau: Fixtures.rk4)
    }
    #expect(throws: PureSwiftError.notAdaptive("rk4")) { try make(Self.program, SolverOptions(method: "rk4")) }
    #expect(throws: PureSwiftError.batchControl) {
      try make(Self.program, SolverOptions(control: .batch(rtol: 1e-3, atol: 1e-3)))
    }
    #expect(throws: PureSwiftError.incompleteProgram(stateDimension: 2, lastRows: 0)) {
      try make(FieldProgram(stateDimension: 2), fixed)
    }
    let solver = try make(Self.program, fixed)
    var problem = Self.problem(count: 2)
    problem.parameters.removeLast()
    let parameters = Self.program.parameterCount
    let error = #expect(throws: PureSwiftError.self) { try solver.solve(problem) }
    #expect(error == .wrongLength(array: "parameters", actual: parameters - 1, expected: parameters))
    #expect(error?.description == "parameters has \(parameters - 1) entries, but \(parameters) are needed")
    problem = Self.problem(count: 2)
    problem.states.removeLast()
    #expect(throws: PureSwiftError.raggedStates(length: 3, stateDimension: 2)) { try solver.solve(problem) }
    problem = Self.problem(count: 2)
    problem.stepFractions = [0, 0.5, 0.5, 1]
    #expect(throws: PureSwiftError.invalidStepFractions) { try solver.solve(problem) }
    problem.stepFractions = nil
    problem.endTime = .infinity
    #expect(throws: PureSwiftError.timeNotFinite(.infinity)) { try solver.solve(problem) }
    #expect(throws: PureSwiftError.wrongLength(array: "states of the cotangents", actual: 1, expected: 4)) {
      try solver.gradient(of: .cotangents(states: [0], logDeterminants: [0, 0]), at: Self.problem(count: 2))
    }
  }
}
