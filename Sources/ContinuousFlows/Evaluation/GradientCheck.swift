import NeuralODE

/// The gradients of a flow's mean negative log-density, with regularisers or without, beside central differences of it, in
/// Double: whether they are its derivative.
///
/// A gradient is compared along directions: its own, for each group of numbers, where the derivative is the gradient's length;
/// and one drawn at random over all parameters, which sees what lies beside it.
///
/// - The discrete gradient is that of the steps that were taken, so differences are too: each sample's steps are found once, and
///   repeated at the same fractions of its interval. The two differ by the differences' error alone.
/// - The continuous one is that of the flow, and differs from them by as much as the steps, there and back, are off. Whether it is
///   right is seen where steps are made finer: what it differs by from the discrete gradient of the finer steps must fall.
public struct GradientCheck: Sendable {
  /// One direction's derivative, as each gradient has it and as differences have it.
  public struct Row: Sendable {
    /// "net.0.weight", "states", "context", "start time", …
    public let name: String
    /// Numbers that vary along the direction.
    public let count: Int
    public let discrete: Double
    /// nil for a method without a continuous adjoint, and of the Swift backend where there is a context.
    public let continuous: Double?
    public let differences: Double
    /// Of the discrete gradient against differences.
    public var discreteError: Double { GradientCheck.relativeError(discrete, differences) }
    /// Of the continuous gradient against differences.
    public var continuousError: Double? { continuous.map { GradientCheck.relativeError($0, differences) } }
    /// Of the continuous gradient against the discrete one, by finer steps.
    public let refinedError: Double?
    /// What that may be wherever the steps before were better by chance.
    public let allowance: Double

    /// Whether the continuous gradient comes to the discrete one as steps become finer: by a half at least, or to within the
    /// allowance.
    public var isConverging: Bool {
      guard let continuousError else { return true }
      return refinedError.map { $0 < max(continuousError / 2, allowance) } ?? false
    }
  }

  public let rows: [Row]
  public let sampleCount: Int
  /// Of the solver: what `automatic` came to.
  public let trace: Trace
  /// Of the loss.
  public let regularisation: Regularisation
  /// Of the discrete gradient.
  public var worstError: Double { rows.map(\.discreteError).max() ?? 0 }
  public var worstContinuousError: Double? { rows.compactMap(\.continuousError).max() }
  public var worstRefinedError: Double? { rows.compactMap(\.refinedError).max() }
  public var isDiscreteRight: Bool { worstError < Self.tolerance }
  public var isContinuousRight: Bool { rows.allSatisfy(\.isConverging) }

  /// What relative errors stay below for a gradient that is right. Differences of fourth order with h = 1e-3 are off by h⁴ of a
  /// fifth derivative, 1e-12 of sizes, and by a rounding of 2⁻⁵³/h = 1e-13, both some hundred times larger for a long solve;
  /// the rest is room for a direction along which the loss hardly changes.
  public static let tolerance = 1e-7

  /// In tolerances of the finer steps, what the continuous gradient may be off by, of the whole gradient's size: each of some tens
  /// of steps there and back may add one.
  private static let allowedTolerances = 100.0

  /// - Parameters:
  ///   - samples: `[count][D]`, in the data's own units; some are enough, since each is solved some hundred times.
  ///   - options: of the solver, whose method has a discrete gradient; precision is full. reversible_heun has no
  ///     continuous adjoint to compare.
  ///   - regularisation: of the loss, as training has it.
  ///   - context: `[count][C]`, of a conditional flow; nil: none.
  /// - Throws: the backend's error for a refused option; `SolveFailure` where a sample does not arrive, or not get back.
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
    // The Swift backend's continuous adjoint leaves the context out, and has none of Rosenbrock methods.
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
