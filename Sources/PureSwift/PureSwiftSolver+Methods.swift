import FieldPrograms

// The requirements of single methods, in addition to those of all.

extension PureSwiftSolver {
  static func scheme(
    of tableau: ButcherTableau, _ options: SolverOptions, _ program: FieldProgram
  ) throws(PureSwiftError) -> StepScheme {
    switch tableau.family {
    case .rungeKutta: return .stages
    case .explicitAdams, .implicitAdams:
      if case .perSample = options.control { throw .notAdaptive(tableau.name) }
      guard (1...AdamsFormula.mostSlopes).contains(options.maximumOrder) else {
        throw .invalidOption("maximumOrder is \(options.maximumOrder), must be from 1 to \(AdamsFormula.mostSlopes)")
      }
      for tolerance in [options.iterationRtol, options.iterationAtol] where !(tolerance >= 0 && tolerance.isFinite) {
        throw .invalidOption("iterationRtol and iterationAtol must be finite and not negative, but one is \(tolerance)")
      }
      return .adams(
        isImplicit: tableau.family == .implicitAdams, mostSlopes: max(options.maximumOrder - 1, 1))
    case .rosenbrock:
      guard let table = tableau.rosenbrock else { throw .unknownRosenbrockMethod(tableau.name) }
      guard program.stateDimension <= mostRosenbrockRows else {
        throw .invalidOption(
          "the state has \(program.stateDimension) rows, of which method '\(tableau.name)' takes at most "
            + "\(mostRosenbrockRows)")
      }
      return .rosenbrock(table)
    case .partitioned, .reversible: throw .noTwin(tableau.name)
    }
  }

  /// States of more rows are refused, as in C: a tile's matrices are `[D][D][lanes]`.
  private static var mostRosenbrockRows: Int { 512 }

  static func start(
    _ tableau: ButcherTableau?, for method: ButcherTableau
  ) throws(PureSwiftError) -> ButcherTableau {
    guard let tableau, tableau.name == startingMethod else { throw .noStartingTableau(method.name) }
    return tableau
  }

  /// The rounding of i/n, however it is computed.
  private static var equalFractions: Double { 4 * Double.ulpOfOne }

  static func checkEqual(_ fractions: [Double]) throws(PureSwiftError) {
    let steps = Double(fractions.count - 1)
    for (number, fraction) in fractions.enumerated() where abs(fraction - Double(number) / steps) > equalFractions {
      throw .unequalSteps
    }
  }

  func checkTimes(_ problem: SolveProblem<Scalar>, _ count: Int) throws(PureSwiftError) {
    let timeCount = problem.outputTimeCount(sampleCount: count)
    if let times = problem.sampleOutputTimes {
      guard problem.outputTimes.isEmpty else {
        throw .outputTimes("output times are common to all samples or each sample's own, not both")
      }
      try Self.check("sampleOutputTimes", times.count, count * timeCount)
    }
    guard timeCount > 0 else { return }
    guard case .stages = scheme else {
      throw .outputTimes("output times do not go with method '\(tableau.name)': use a Runge-Kutta method")
    }
    guard problem.stepFractions == nil else { throw .outputTimes("output times do not go with step fractions") }
    let hasOneWay = problem.startTimes == nil && problem.endTimes == nil && problem.sampleOutputTimes == nil
    for sample in 0..<(hasOneWay ? 1 : count) {
      guard problem.intervals(of: sample, timeCount: timeCount).areInOrder else {
        throw .outputTimes(
          "output times must run from the start time to the end time of every sample, in the order of the solve")
      }
    }
    if case .perSample = options.control, timeCount >= options.maximumSteps {
      throw .outputTimes(
        "\(timeCount) output times are too many for maximumSteps, which is \(options.maximumSteps)")
    }
  }

  /// Checks the loss's arrays, and that the method has the gradient that the options ask for.
  func check(_ loss: Loss<Scalar>, at problem: SolveProblem<Scalar>) throws(PureSwiftError) {
    let isDiscrete = if case .continuous = options.adjoint { false } else { true }
    switch scheme {
    case .stages: break
    case .adams: if isDiscrete { throw .methodHasNoGradient(tableau.name) }
    case .rosenbrock: throw .methodHasNoGradient(tableau.name)
    }
    guard isDiscrete || program.contextDimension == 0 else {
      throw .invalidOption(
        "the continuous adjoint of the Swift backend has no gradient by a context: use every step, or the C kernels")
    }
    let count = problem.states.count / program.stateDimension
    let timeCount = problem.outputTimeCount(sampleCount: count)
    guard isDiscrete || timeCount == 0 else {
      throw .outputTimes("output times do not go with a gradient by the continuous adjoint: use every step")
    }
    guard case .cotangents(let states, let logDeterminants, let statesAtTimes, let logDeterminantsAtTimes, _) = loss
    else { return }
    let times = count * timeCount
    try Self.check("states of the cotangents", states.count, problem.states.count)
    try Self.check("logDeterminants of the cotangents", logDeterminants.count, count)
    if !statesAtTimes.isEmpty {
      try Self.check("statesAtTimes of the cotangents", statesAtTimes.count, times * program.stateDimension)
    }
    if !logDeterminantsAtTimes.isEmpty {
      try Self.check("logDeterminantsAtTimes of the cotangents", logDeterminantsAtTimes.count, times)
    }
  }
}
