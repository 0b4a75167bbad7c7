import NeuralODE

/// What one solve of a test problem cost, and how far it came out from the reference.
public struct WorkPrecision: Sendable {
  public let problem: String
  public let method: String
  /// Relative and absolute, both.
  public let tolerance: Double
  public let evaluations: Int
  /// The root mean square of (y − reference) / (tolerance + tolerance · |reference|): the norm of step control, at the end
  /// time. NaN where the sample failed.
  public let error: Double
  public let status: SampleStatus
  /// Whether the error at the end was controlled, by `GlobalErrorSolver`, and not that of each step alone.
  public let isGlobal: Bool

  /// The error that is asked of a solver: ten times the tolerance.
  public static let allowedError = 10.0
  /// The share of solves that is hoped to be within it.
  public static let goal = 0.95
  public var isWithinTolerance: Bool { status == .ok && error <= Self.allowedError }

  /// Steps that a solve may take: methods of low order need a million of them at the smallest tolerances.
  public static let maximumSteps = 1 << 20

  /// Solves `problem` from its start to its end by per-sample steps of `method`.
  ///
  /// - Parameter isGlobal: whether the error at the end is controlled, not that of each step alone.
  public static func measure(
    _ problem: TestProblem, method: String, tolerance: Double, isGlobal: Bool = false, backend: Backend = .c
  ) throws -> WorkPrecision {
    let options = SolverOptions(
      method: method, control: .perSample(rtol: tolerance, atol: tolerance), maximumSteps: maximumSteps, trace: .none,
      threads: 1)
    let start = SolveProblem(parameters: [], states: problem.start, from: 0, to: problem.endTime)
    let solution: Solution<Double>
    if isGlobal {
      let solver = try GlobalErrorSolver<Double>(program: problem.program, options: options, backend: backend)
      solution = try solver.solve(start).solution
    } else {
      solution = try makeSolver(program: problem.program, options: options, backend: backend).solve(start)
    }
    let squares = zip(solution.states, problem.reference).reduce(0.0) { sum, pair in
      let scaled = (pair.0 - pair.1) / (tolerance + tolerance * abs(pair.1))
      return sum + scaled * scaled
    }
    return WorkPrecision(
      problem: problem.name, method: method, tolerance: tolerance, evaluations: solution.evaluations[0],
      error: solution.statuses[0] == .ok ? (squares / Double(problem.dimension)).squareRoot() : .nan,
      status: solution.statuses[0], isGlobal: isGlobal)
  }
}

extension Sequence<WorkPrecision> {
  /// The share of solves whose error is at most ten times the tolerance.
  public var shareWithinTolerance: Double {
    let all = Array(self)
    return all.isEmpty ? 1 : Double(all.count(where: \.isWithinTolerance)) / Double(all.count)
  }
}
