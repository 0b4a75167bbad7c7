extension SolverOptions {
  /// These options, with the trace switched off if `program` is Hamiltonian: its divergence is exactly 0, and so is the
  /// log-determinant.
  ///
  /// A Frobenius norm still needs the tangents, which also give the divergence up to rounding.
  func sparingDivergence(of program: FieldProgram) -> SolverOptions {
    guard trace != .none, !integratesFrobeniusNorm, program.isHamiltonian else { return self }
    var options = self
    options.trace = .none
    return options
  }
}
