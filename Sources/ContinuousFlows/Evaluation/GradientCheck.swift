import NeuralODE

/// Checks the gradients of a flow's mean negative log-likelihood, with or without regularisers, against central
/// differences in Double.
///
/// Gradients are compared along directions. For each group of numbers the direction is the gradient itself, where the
/// derivative is the gradient's length. One random direction over all parameters shows errors orthogonal to the
/// gradient.
///
/// - The discrete gradient is the derivative of the steps taken, so the differences use the same steps: each sample's
///   steps are found once and repeated at the same fractions of its interval. The two differ only by the error of the
///   differences.
/// - The continuous gradient is that of the exact flow, and differs by the error of the forward and backward steps. To
///   check it, the steps are made finer: its difference from the discrete gradient of the finer steps must fall.
public struct GradientCheck: Sendable {
  /// The derivative along one direction, by each gradient and by differences.
  public struct Row: Sendable {
    /// "net.0.weight", "states", "context", "start time", …
    public let name: String
    /// Number of values that vary along the direction.
    public let count: Int
    public let discrete: Double
    /// nil for a method without a continuous adjoint, and for the Swift backend if there is a context.
    public let continuous: Double?
    public let differences: Double
    /// Relative error of the discrete gradient against differences.
    public var discreteError: Double { GradientCheck.relativeError(discrete, differences) }
    /// Relative error of the continuous gradient against differences.
    public var continuousError: Double? { continuous.map { GradientCheck.relativeError($0, differences) } }
    /// Relative difference of the continuous from the discrete gradient with finer steps.
    public let refinedError: Double?
    /// The value that `refinedError` may always have, in case the coarser steps were accurate by chance.
    public let allowance: Double

    /// Whether the continuous gradient approaches the discrete one with finer steps: the difference falls by half at
    /// least, or to within the allowance.
    public var isConverging: Bool {
      guard let continuousError else { return true }
      return refinedError.map { $0 < max(continuousError / 2, allowance) } ?? false
    }
  }

  public let rows: [Row]
  public let sampleCount: Int
  /// The trace of the solver, with `automatic` resolved.
  public let trace: Trace
  /// The regularisation of the loss.
  public let regularisation: Regularisation
  /// The largest relative error of the discrete gradient.
  public var worstError: Double { rows.map(\.discreteError).max() ?? 0 }
  public var worstContinuousError: Double? { rows.compactMap(\.continuousError).max() }
  public var worstRefinedError: Double? { rows.compactMap(\.refinedError).max() }
  public var isDiscreteRight: Bool { worstError < Self.tolerance }
  public var isContinuousRight: Bool { rows.allSatisfy(\.isConverging) }

  /// Upper bound for relative errors of a correct gradient. Differences of fourth order with h = 1e-3 have an error of
  /// h⁴ times a fifth derivative, 1e-12 relative, and rounding of 2⁻⁵³/h = 1e-13; both are about a hundred times larger
  /// for a long solve. The rest is a margin for directions along which the loss hardly changes.
  public static let tolerance = 1e-7

  /// Allowed difference of the continuous gradient, in tolerances of the finer steps and relative to the whole
  /// gradient: each of a few tens of forward and backward steps may add one.
  private static let allowedTolerances = 100.0

  /// - Parameters:
  ///   - samples: `[count][D]`, in the data's units; a few are enough, because each is solved a few hundred times.
  ///   - options: solver options; the method must have a discrete gradient, and precision is set to full.
  ///     reversible_heun has no continuous adjoint to compare.
  ///   - regularisation: the regularisers of the loss, as in training.
  ///   - context: `[count][C]`, for a conditional flow; nil means none.
  /// - Throws: the backend's error for a refused option; `SolveFailure` if a sample's forward or backward solve fails.
  public init(
    of flow: ContinuousFlow, at samples: SampleMatrix, options: SolverOptions, regularisation: Regularisation = .none,
    backend: Backend = .c, seed: UInt64 = 0, context: SampleMatrix? = nil
  ) throws {
    flow.checkContext(context, count: samples.count)
    var options = options
    options.precision = .full
    options.adjoint = .everyStep
    options.integratesKineticEnergy = regularisation.kineticEnergy != 0
    options.integratesFrobeniusNorm = regularisation.frobeniusNorm != 0
    let point = GradientPoint(
      parameters: flow.parameters.map(Double.init), states: flow.latentStates(of: samples).map(Double.init),
      startTime: flow.endTime, endTime: 0, context: flow.seenContext(context?.values ?? []).map(Double.init))
    let call = GradientCall(
      program: flow.program, base: flow.base, options: options, regularisation: regularisation, backend: backend,
      seed: seed)
    let frozen = try FrozenSteps(call, at: point)
    let discrete = try frozen.gradient(at: point)
    let family = try Methods.named(options.method).family
    // The Swift backend's continuous adjoint gives no context gradient, and does not support Rosenbrock methods.
    let hasContinuous =
      family != .reversible && (backend == .c || family != .rosenbrock && point.context.isEmpty)
    let refined = call.refined
    let continuous = hasContinuous ? try call.continuous.gradient(at: point) : nil
    let refinedContinuous = hasContinuous ? try refined.continuous.gradient(at: point) : nil
    let refinedDiscrete = hasContinuous ? try refined.gradient(at: point) : discrete
    let size = discrete.dot(discrete).squareRoot()
    var rows: [Row] = []
    func compare(_ name: String, _ direction: GradientPoint, count: Int) throws {
      let derivative = discrete.dot(direction)
      let part = derivative == 0 ? 1 : min(abs(derivative) / size, 1)
      rows.append(
        Row(
          name: name, count: count, discrete: derivative, continuous: continuous?.dot(direction),
          differences: try frozen.derivative(at: point, along: direction),
          refinedError: refinedContinuous.map {
            Self.relativeError($0.dot(direction), refinedDiscrete.dot(direction))
          },
          allowance: max(Self.tolerance, Self.allowedTolerances * refined.tolerance / part)))
    }
    for entry in ParameterNames(of: flow.program).entries {
      let direction = discrete.restricted(toParameters: entry.offset..<entry.offset + entry.count)
      try compare(entry.name, direction, count: entry.count)
    }
    try compare(
      "a random direction", discrete.withRandomParameters(seed: seed), count: point.parameters.count)
    try compare("states", discrete.restrictedToStates(), count: point.states.count)
    if !point.context.isEmpty { try compare("context", discrete.restrictedToContext(), count: point.context.count) }
    try compare("start time", point.zero(startTime: 1), count: 1)
    try compare("end time", point.zero(endTime: 1), count: 1)
    self.rows = rows
    sampleCount = samples.count
    trace = frozen.trace
    self.regularisation = regularisation
  }

  /// |a − b| over the larger of the two sizes; 0 where both are 0, infinite where one is not finite.
  private static func relativeError(_ a: Double, _ b: Double) -> Double {
    let size = max(abs(a), abs(b))
    let error = size == 0 ? 0 : abs(a - b) / size
    return error.isFinite ? error : .infinity
  }
}
