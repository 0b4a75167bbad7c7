extension SolverOptions {
  /// These options, with the trace switched off if `program` is Hamiltonian: its divergence is exactly 0, and so is the
  /// log-determinant.
  ///
  /// A Frobenius norm still needs the tangents, which also give the divergence up to rounding.
  func sparingDivergence(of program: FieldProgram) -> SolverOptions {
    guard trace != .none, !integratesFrobeniusNorm, program.isHamiltonian else { return self }
    return withoutTrace
  }

  /// These options, with the trace switched off.
  var withoutTrace: SolverOptions {
    var options = self
    options.trace = .none
    return options
  }

  /// Options for evaluations of a program that is never solved: one step of euler reserves the least memory.
  static func evaluation(threads: Int?) -> SolverOptions {
    SolverOptions(method: "euler", control: .fixed(steps: 1), trace: .none, threads: threads)
  }
}

/// One solver for each program; equal programs share a solver.
func makeSolvers<Scalar: FlowScalar>(
  programs: [FieldProgram], options: SolverOptions, backend: Backend
) throws -> [any FieldSolver<Scalar>] {
  var shared: [(program: FieldProgram, solver: any FieldSolver<Scalar>)] = []
  return try programs.map { program in
    if let known = shared.first(where: { $0.program == program }) { return known.solver }
    let solver: any FieldSolver<Scalar> = try makeSolver(program: program, options: options, backend: backend)
    shared.append((program, solver))
    return solver
  }
}
