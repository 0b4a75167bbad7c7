import PureSwift

/// Creates a solver of `program` for the given backend.
///
/// - Throws: `KernelError` for an unknown method or a refused option; `PureSwiftError` for what the Swift backend does
///   not support.
public func makeSolver<Scalar: FlowScalar>(
  program: FieldProgram, options: SolverOptions, backend: Backend = .c, scalar: Scalar.Type = Scalar.self
) throws -> any FieldSolver<Scalar> {
  switch backend {
  case .c: try KernelSolver<Scalar>(program: program, options: options)
  case .swift:
    try PureSwiftSolver<Scalar>(
      program: program, options: options, tableau: try Methods.named(options.method),
      startingTableau: try Methods.named(PureSwiftSolver<Scalar>.startingMethod))
  }
}
