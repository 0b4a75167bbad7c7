import NeuralODE

/// The cost of one solve of a test problem, and its error.
public struct WorkPrecision: Sendable {
  public let problem: String
  public let method: String
  /// The relative and the absolute tolerance.
  public let tolerance: Double
  public let evaluations: Int
  /// The error at the end time in the norm of step control: the root mean square of (y − reference) / (tolerance +
  /// tolerance · |reference|). NaN if the solve failed.
  public let error: Double
  public let status: SampleStatus
  /// Whether `GlobalErrorSolver` controlled the error at the end time. Otherwise only the error of each step was
  /// controlled.
  public let isGlobal: Bool

  /// The largest error that a solve may have: ten times the tolerance.
  public static let allowedError = 10.0
  /// The fraction of solves that should be within the allowed error.
  public static let goal = 0.95
  public var isWithinTolerance: Bool { status == .ok && error <= Self.allowedError }

  /// The largest number of steps of a solve. Methods of low order need a million at the smallest tolerances.
  public static let maximumSteps = 1 << 20

  /// Solves `problem` by adaptive steps of `method` and compares the result with the reference.
  ///
  /// - Parameter isGlobal: whether to control the error at the end time, and not only that of each step.
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
  /// The fraction of solves whose error is at most ten times the tolerance.
  public var shareWithinTolerance: Double {
    let all = Array(self)
    return all.isEmpty ? 1 : Double(all.count(where: \.isWithinTolerance)) / Double(all.count)
  }
}
