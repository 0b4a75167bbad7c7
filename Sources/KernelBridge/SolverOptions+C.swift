import CNFKernels

extension SolverOptions {
  /// The options as a C struct, without the tolerances per row: those are arrays, which `SolverHandle` passes.
  ///
  /// C takes a zero as "the default". In Swift a zero is a mistake, so it is refused here.
  func c(instructionSet: InstructionSet, stateDimension: Int) throws(KernelError) -> cnf_solver_options {
    try checkController()
    try Self.require(relativeTolerances, "relativeTolerances", count: stateDimension)
    try Self.require(absoluteTolerances, "absoluteTolerances", count: stateDimension)
    try Self.require(maximumSteps, "maximumSteps")
    try Self.require(probeCount, "probeCount")
    if let threads { try Self.require(threads, "threads") }
    var c = cnf_solver_options()
    let status = cnf_solver_options_init(&c, MemoryLayout<cnf_solver_options>.size)
    precondition(status == CNF_OK, "cnf.h and the loaded CNFKernels library are of different versions")
    c.method = try Methods.index(of: method)
    try setControl(of: &c)
    try Self.require(maximumOrder, "maximumOrder")
    c.order = Int32(clamping: maximumOrder)
    c.initial_step = initialStep ?? 0
    c.min_step = minimumStep ?? 0
    c.max_step = maximumStep ?? 0
    c.norm = errorNorm == .maximum ? Int32(CNF_NORM_MAX.rawValue) : Int32(CNF_NORM_RMS.rawValue)
    c.pcoeff = stepController.proportional
    c.icoeff = stepController.integral
    c.dcoeff = stepController.derivative
    c.safety = stepController.safety
    c.factor_min = stepController.smallestFactor
    c.factor_max = stepController.largestFactor
    c.max_steps = Int32(clamping: maximumSteps)
    c.trace = CType.of(trace)
    c.probe = CType.of(probe)
    c.probes = Int32(clamping: probeCount)
    c.exclude_log_det = errorNormIncludesLogDeterminant ? 0 : 1
    c.threads = Int32(clamping: threads ?? 0)
    c.isa = instructionSet.rawValue
    c.precision = CType.of(precision)
    if let keptEvaluationBytes { c.store_bytes = keptEvaluationBytes > 0 ? Int64(keptEvaluationBytes) : -1 }
    c.kinetic = integratesKineticEnergy ? 1 : 0
    c.frobenius = integratesFrobeniusNorm ? 1 : 0
    try setAdjoint(of: &c)
    return c
  }

  private func setControl(of c: inout cnf_solver_options) throws(KernelError) {
    switch control {
    case .perSample(let rtol, let atol):
      c.control = Int32(CNF_CONTROL_SAMPLE.rawValue)
      c.rtol = rtol
      c.atol = atol
    case .batch(let rtol, let atol):
      c.control = Int32(CNF_CONTROL_BATCH.rawValue)
      c.rtol = rtol
      c.atol = atol
    case .fixed(let steps):
      try Self.require(steps, "steps")
      c.control = Int32(CNF_CONTROL_FIXED.rawValue)
      c.steps = Int32(clamping: steps)
      c.rtol = iterationRtol
      c.atol = iterationAtol
    }
  }

  private func setAdjoint(of c: inout cnf_solver_options) throws(KernelError) {
    switch adjoint {
    case .everyStep: c.schedule = Int32(CNF_SCHEDULE_EVERY_STEP.rawValue)
    case .every(let count):
      try Self.require(count, "adjoint.every")
      c.schedule = Int32(CNF_SCHEDULE_EVERY_K.rawValue)
      c.checkpoint_every = Int32(clamping: count)
    case .binomial(let bytes):
      try Self.require(bytes)
      c.schedule = Int32(CNF_SCHEDULE_BINOMIAL.rawValue)
      c.checkpoint_bytes = Int64(bytes ?? 0)
    case .automatic(let bytes):
      try Self.require(bytes)
      c.schedule = Int32(CNF_SCHEDULE_AUTOMATIC.rawValue)
      c.checkpoint_bytes = Int64(bytes ?? 0)
    case .reversible: c.adjoint = Int32(CNF_ADJOINT_REVERSIBLE.rawValue)
    case .continuous(let rtol, let atol):
      for (name, value) in [("adjoint.rtol", rtol ?? 1), ("adjoint.atol", atol ?? 1)] where !(value > 0) {
        throw .invalidOption(name: name, value: "\(value)", allowed: "above 0")
      }
      c.adjoint = Int32(CNF_ADJOINT_CONTINUOUS.rawValue)
      c.adjoint_rtol = rtol ?? 0
      c.adjoint_atol = atol ?? 0
    }
  }

  /// Checks the byte budget of checkpoints.
  private static func require(_ bytes: Int?) throws(KernelError) {
    guard let bytes, bytes < 1 else { return }
    throw .invalidOption(name: "adjoint.bytes", value: "\(bytes)", allowed: "above 0")
  }

  private func checkController() throws(KernelError) {
    let positive = [
      ("stepController.integral", stepController.integral), ("stepController.safety", stepController.safety),
      ("stepController.smallestFactor", stepController.smallestFactor),
      ("stepController.largestFactor", stepController.largestFactor), ("maximumStep", maximumStep ?? 1),
    ]
    for (name, value) in positive where !(value > 0) {
      throw .invalidOption(name: name, value: "\(value)", allowed: "above 0")
    }
  }

  private static func require(_ tolerances: [Double]?, _ name: String, count: Int) throws(KernelError) {
    guard let tolerances, tolerances.count != count else { return }
    throw .invalidOption(
      name: name, value: "\(tolerances)", allowed: "one number for each of the state's \(count) rows")
  }

  private static func require(_ value: Int, _ name: String) throws(KernelError) {
    guard value < 1 || value > Int(Int32.max) else { return }
    throw .invalidOption(name: name, value: "\(value)", allowed: "from 1 to \(Int32.max)")
  }
}
