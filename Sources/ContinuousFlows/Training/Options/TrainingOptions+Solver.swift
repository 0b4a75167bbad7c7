extension TrainingOptions {
  /// `solver`, integrating what `regularisation` is made of.
  var regularisedSolver: SolverOptions {
    var options = solver
    if regularisation.kineticEnergy != 0 { options.integratesKineticEnergy = true }
    if regularisation.frobeniusNorm != 0 { options.integratesFrobeniusNorm = true }
    return options
  }
}
