import ContinuousFlows

/// From settings to the options of solves.
extension Settings {
  var trainingSolver: SolverOptions {
    var options = solverOptions(
      method: self.solver, rtol: self.rtol, atol: self.atol, fixedSteps: self.fixedSteps, trace: self.trace)
    options.precision = self.precision
    let bytes = self.adjointBytes == 0 ? nil : self.adjointBytes
    switch self.adjoint {
    case .binomial: options.adjoint = .binomial(bytes: bytes)
    case .automatic: options.adjoint = .automatic(bytes: bytes)
    default: options.adjoint = self.adjoint
    }
    return options
  }

  var evaluationSolverOptions: SolverOptions {
    var options = solverOptions(
      method: self.evaluationSolver, rtol: self.evaluationRtol, atol: self.evaluationAtol,
      fixedSteps: self.evaluationFixedSteps,
      trace: self.evaluationTrace)
    options.stateType = self.stateType
    return options
  }

  private func solverOptions(
    method: SolverMethod, rtol: Double, atol: Double, fixedSteps: Int, trace: Trace
  ) -> SolverOptions {
    SolverOptions(
      method: method.name, control: fixedSteps > 0 ? .fixed(steps: fixedSteps) : .perSample(rtol: rtol, atol: atol),
      initialStep: self.firstStep == 0 ? nil : self.firstStep, maximumStep: self.maxStep == 0 ? nil : self.maxStep,
      stepController: self.controller, errorNorm: self.norm, maximumSteps: self.solverMaxSteps, trace: trace,
      probe: self.probe,
      probeCount: self.probes, threads: self.threads == 0 ? nil : self.threads, iterationRtol: rtol, iterationAtol: atol
    )
  }
}
