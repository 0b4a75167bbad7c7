import PureSwift

/// Creates a solver of `program` for the given backend. Without a number of threads, both take `Machine.threadCount`.
///
/// - Throws: `KernelError` for an unknown method or a refused option; `PureSwiftError` for what the Swift backend does
///   not support.
public func makeSolver<Scalar: FlowScalar>(
  program: FieldProgram, options: SolverOptions, backend: Backend = .c, scalar: Scalar.Type = Scalar.self
) throws -> any FieldSolver<Scalar> {
  switch backend {
  case .c: return try KernelSolver<Scalar>(program: program, options: options)
  case .swift:
    var options = options
    options.threads = options.threads ?? Machine.threadCount
    return try PureSwiftSolver<Scalar>(
      program: program, options: options, tableau: try Methods.named(options.method),
      startingTableau: try Methods.named(PureSwiftSolver<Scalar>.startingMethod))
  }
}
