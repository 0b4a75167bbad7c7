extension SolverOptions {
  /// These options, without a trace where `program` is Hamiltonian: its divergence is exactly 0, and so is the log-determinant.
  ///
  /// A Frobenius norm still needs its tangents, which give the divergence's rounding beside it.
  func sparingDivergence(of program: FieldProgram) -> SolverOptions {
    guard trace != .none, !integratesFrobeniusNorm, program.isHamiltonian else { return self }
    var options = self
    options.trace = .none
    return options
  }
}
