extension TrainingOptions {
  /// `solver` with the integrals that `regularisation` needs.
  var regularisedSolver: SolverOptions {
    var options = solver
    if regularisation.kineticEnergy != 0 { options.integratesKineticEnergy = true }
    if regularisation.frobeniusNorm != 0 { options.integratesFrobeniusNorm = true }
    return options
  }
}
