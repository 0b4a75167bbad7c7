import FieldPrograms

extension PureSwiftSolver {
  static func check(
    _ program: FieldProgram, _ options: SolverOptions, _ tableau: ButcherTableau
  ) throws(PureSwiftError) {
    guard program.isComplete else {
      throw .incompleteProgram(
        stateDimension: program.stateDimension, lastRows: program.operations.isEmpty ? 0 : program.blockRows.last ?? 0)
    }
    let stages = tableau.stages
    guard stages >= 1, tableau.a.count == stages, tableau.a.allSatisfy({ $0.count == stages }),
      tableau.c.count == stages || tableau.family == .rosenbrock, tableau.e.isEmpty || tableau.e.count == stages
    else { throw .malformedTableau(tableau.name) }
    switch options.control {
    case .batch: throw .batchControl
    case .fixed: break
    case .perSample(let rtol, let atol):
      guard tableau.isAdaptive else { throw .notAdaptive(tableau.name) }
      let rows = program.stateDimension
      let relative = try tolerances(options.relativeTolerances, "relativeTolerances", or: rtol, rows)
      let absolute = try tolerances(options.absoluteTolerances, "absoluteTolerances", or: atol, rows)
      for (rtol, atol) in zip(relative, absolute) {
        guard rtol.isFinite, atol.isFinite, rtol >= 0, atol >= 0, rtol + atol > 0 else {
          throw .invalidOption("rtol \(rtol) and atol \(atol) must be finite, not negative, and not both zero")
        }
      }
    }
    if options.precision == .mixed { throw .mixedPrecision }
    switch options.adjoint {
    case .everyStep: break
    case .every(let count): try require(count >= 1, "adjoint is every \(count) steps, must be at least 1")
    case .binomial, .automatic: throw .checkpointBudget
    case .continuous(let rtol, let atol):
      for tolerance in [rtol, atol].compactMap({ $0 }) {
        try require(
          tolerance.isFinite && tolerance > 0,
          "adjoint's rtol and atol must be finite and above 0, but one is \(tolerance)")
      }
    case .reversible: throw .reversibleAdjoint
    }
    try check(options.stepController)
    try require(options.probeCount >= 1, "probeCount is \(options.probeCount), must be at least 1")
    try require(options.maximumSteps >= 1, "maximumSteps is \(options.maximumSteps), must be at least 1")
    if let threads = options.threads { try require(threads >= 1, "threads is \(threads), must be at least 1") }
    if let step = options.initialStep {
      try require(step.isFinite && step > 0, "initialStep is \(step), must be finite and above 0")
    }
    if let step = options.minimumStep {
      try require(step.isFinite && step >= 0, "minimumStep is \(step), must be finite and not negative")
    }
    if let step = options.maximumStep {
      let least = options.minimumStep ?? 0
      try require(
        step > 0 && step >= least,
        "maximumStep is \(step), must be above 0 and at least minimumStep")
    }
  }

  /// One tolerance for each row, and one for the log-determinant.
  private static func tolerances(
    _ given: [Double]?, _ name: String, or common: Double, _ rows: Int
  ) throws(PureSwiftError) -> [Double] {
    let numbers = given ?? Array(repeating: common, count: rows)
    try require(
      numbers.count == rows, "\(name) is \(numbers), must be one number for each of the state's \(rows) rows")
    return numbers + [common]
  }

  private static func check(_ controller: StepController) throws(PureSwiftError) {
    let (p, i, d) = (controller.proportional, controller.integral, controller.derivative)
    try require(
      p.isFinite && i.isFinite && d.isFinite && i > 0,
      "stepController is \(controller), must be finite, integral above 0")
    try require(
      controller.safety < 1 && controller.smallestFactor > 0 && controller.smallestFactor <= controller.safety
        && controller.largestFactor >= 1 && controller.largestFactor.isFinite,
      "stepController's smallestFactor must be above 0 and at most its safety, that below 1, its largestFactor finite and at "
        + "least 1")
  }

  private static func require(_ condition: Bool, _ sentence: String) throws(PureSwiftError) {
    if !condition { throw .invalidOption(sentence) }
  }

  static func check(_ array: String, _ actual: Int, _ expected: Int) throws(PureSwiftError) {
    if actual != expected { throw .wrongLength(array: array, actual: actual, expected: expected) }
  }

  func check(_ regularisation: Regularisation) throws(PureSwiftError) {
    let coefficients = [
      (regularisation.kineticEnergy, options.integratesKineticEnergy),
      (regularisation.frobeniusNorm, options.integratesFrobeniusNorm),
    ]
    for (coefficient, isIntegrated) in coefficients where !coefficient.isFinite || (coefficient != 0 && !isIntegrated) {
      throw .invalidRegularisation(regularisation)
    }
  }

  /// Checks that the callbacks can do what is needed: the resolved trace, and derivatives for a gradient.
  func checkCallbacks(isGradient: Bool) throws(PureSwiftError) {
    let byTangents = resolvedTrace == .hutchinson || resolvedTrace == .exactTangents
    for layout in plan.callbacks {
      let name = layout.callback.name
      let needsTangents = (byTangents || scheme.isRosenbrock) && plan.dependsOnState[layout.operation + 1]
      guard let functions = layout.callback.functions(Scalar.self) else {
        throw .callbackLacks(callback: name, function: "functions for \(Scalar.self)")
      }
      if needsTangents && functions.tangent == nil { throw .callbackLacks(callback: name, function: "tangent") }
      guard isGradient else { continue }
      if functions.reverse == nil { throw .callbackLacks(callback: name, function: "reverse") }
      if needsTangents && functions.tangentReverse == nil {
        throw .callbackLacks(callback: name, function: "tangentReverse")
      }
    }
  }

  func check(_ problem: SolveProblem<Scalar>) throws(PureSwiftError) {
    try Self.check("parameters", problem.parameters.count, plan.parameterCount)
    guard problem.events.isEmpty else { throw .events }
    guard problem.jumpTimes.isEmpty else { throw .jumpTimes }
    let dimension = plan.stateDimension
    guard problem.states.count % dimension == 0 else {
      throw .raggedStates(length: problem.states.count, stateDimension: dimension)
    }
    let count = problem.states.count / dimension
    try Self.check("context", problem.context.count, count * plan.contextDimension)
    if let identifiers = problem.sampleIdentifiers { try Self.check("sampleIdentifiers", identifiers.count, count) }
    if let probes = problem.probes, resolvedTrace == .hutchinson {
      try Self.check("probes", probes.count, count * options.probeCount * dimension)
    }
    if let times = problem.startTimes { try Self.check("startTimes", times.count, count) }
    if let times = problem.endTimes { try Self.check("endTimes", times.count, count) }
    let starts = problem.startTimes ?? [problem.startTime]
    let ends = problem.endTimes ?? [problem.endTime]
    for time in starts + ends where !time.isFinite { throw .timeNotFinite(time) }
    try checkTimes(problem, count)
    guard case .fixed(let steps) = options.control else { return }
    if let fractions = problem.stepFractions {
      let rises = zip(fractions, fractions.dropFirst()).allSatisfy { $0 < $1 }
      guard fractions.count >= 2, fractions.first == 0, fractions.last == 1, rises else { throw .invalidStepFractions }
      if scheme.isMultistep { try Self.checkEqual(fractions) }
    } else {
      try Self.require(steps >= 1, "fixed steps are \(steps), must be at least 1 unless step fractions are given")
    }
  }
}
