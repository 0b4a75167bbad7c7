/// What one solve is given: samples, their interval of time, parameters, and where the probes come from.
public struct SolveProblem<Scalar: FlowScalar>: Sendable {
  /// `θ`, `[P]`.
  public var parameters: [Scalar]
  /// States at `startTime`, `[count][D]` row-major.
  public var states: [Scalar]
  public var startTime: Double
  /// May be before `startTime`: the solve then runs backward in time.
  public var endTime: Double
  /// `[count][K][D]`, used as they are; nil: drawn, keyed by `(seed, step, sample identifier)`.
  public var probes: [Scalar]?
  public var seed: UInt64
  public var step: UInt64
  /// `[count]`; nil: sample i has identifier i.
  public var sampleIdentifiers: [UInt64]?
  /// For fixed steps: the steps' ends as fractions of the interval, rising from 0 to 1; nil: equal steps.
  public var stepFractions: [Double]?
  /// Times, from `startTime` to `endTime` in the order of the solve, at which every sample's steps end and its state is
  /// given; fixed steps are then so many in each interval between them. Not with step fractions or steps common to a batch.
  public var outputTimes: [Double]
  /// `[count]`: each sample's own start and end time, in place of the common one; nil: that. A sample's numbers are those of a
  /// problem with its times alone. Not with steps common to a batch.
  public var startTimes: [Double]?
  public var endTimes: [Double]?
  /// `[count][times]`: each sample's own output times, from its start to its end, in place of `outputTimes`; nil: those.
  public var sampleOutputTimes: [Double]?
  /// Where a sample stops before `endTime`; of several the first along the way counts. At most 8. Not with Adams methods or steps
  /// common to a batch.
  public var events: [SolveEvent<Scalar>]
  /// What the program's `context` operations read, `[count][C]` row-major; empty where C is 0.
  public var context: [Scalar]
  /// Whether `dropout` operations drop rows: masks are keyed by `(seed, step, sample identifier)`, one for a whole solve and its
  /// gradient. Off when a model is evaluated.
  public var dropoutIsActive: Bool

  public init(
    parameters: [Scalar], states: [Scalar], from startTime: Double, to endTime: Double, probes: [Scalar]? = nil,
    seed: UInt64 = 0, step: UInt64 = 0, sampleIdentifiers: [UInt64]? = nil, stepFractions: [Double]? = nil,
    outputTimes: [Double] = [], startTimes: [Double]? = nil, endTimes: [Double]? = nil,
    sampleOutputTimes: [Double]? = nil, events: [SolveEvent<Scalar>] = [],
    context: [Scalar] = [], dropoutIsActive: Bool = false
  ) {
    self.parameters = parameters
    self.states = states
    self.startTime = startTime
    self.endTime = endTime
    self.probes = probes
    self.seed = seed
    self.step = step
    self.sampleIdentifiers = sampleIdentifiers
    self.stepFractions = stepFractions
    self.outputTimes = outputTimes
    self.startTimes = startTimes
    self.endTimes = endTimes
    self.sampleOutputTimes = sampleOutputTimes
    self.events = events
    self.context = context
    self.dropoutIsActive = dropoutIsActive
  }

  public func startTime(of sample: Int) -> Double { startTimes?[sample] ?? startTime }
  public func endTime(of sample: Int) -> Double { endTimes?[sample] ?? endTime }
  /// How many output times each of `count` samples has.
  public func outputTimeCount(sampleCount count: Int) -> Int {
    guard let sampleOutputTimes else { return outputTimes.count }
    return count == 0 ? 0 : sampleOutputTimes.count / count
  }
}

/// The scalars that states can be made of: `Float` and `Double`.
public protocol FlowScalar: BinaryFloatingPoint, SIMDScalar, Codable, Sendable {}
extension Float: FlowScalar {}
extension Double: FlowScalar {}

/// How one sample's solve ended. The others are never affected. The raw values are those of `cnf_sample_status`.
public enum SampleStatus: Int32, Sendable, CaseIterable {
  case ok = 0
  /// Took the maximum number of steps before reaching its end time.
  case maximumSteps = 1
  /// Needs steps too small to change its time: the field is stiff or singular.
  case stepTooSmall = 2
  /// State, field, log-determinant, a regulariser or the sample's gradient became infinite or not a number.
  case notFinite = 3
  /// An event's function is not a number, or its crossing has no derivative.
  case eventUndefined = 4
}

extension SampleStatus: CustomStringConvertible {
  public var description: String {
    switch self {
    case .ok: "ok"
    case .maximumSteps: "took the maximum number of steps before reaching its end time"
    case .stepTooSmall: "needs steps too small to change its time (stiff or singular field)"
    case .notFinite: "became infinite or not a number"
    case .eventUndefined: "met an event whose function is not a number, or whose time has no derivative"
    }
  }
}

/// What a solve gives. All arrays have one entry (`states`: one row) per sample.
public struct Solution<Scalar: FlowScalar>: Sendable {
  /// States at the end time, or where a failed sample stopped, `[count][D]`.
  public var states: [Scalar]
  /// `log |det ∂x(t1)/∂x(t0)|`, the integral of the divergence from t0 to t1.
  public var logDeterminants: [Double]
  /// The end time, or where an event or a failure stopped the sample.
  public var timesReached: [Double]
  public var statuses: [SampleStatus]
  public var acceptedSteps: [Int]
  public var rejectedSteps: [Int]
  /// Evaluations of the field, those of rejected steps and of the first step's choice included.
  public var evaluations: [Int]
  /// Length of the shortest accepted step, the last included; 0: none.
  public var smallestSteps: [Double]
  /// Evaluations that a gradient has reversed; 0 without one.
  public var adjointEvaluations: [Int]
  /// `∫ ½ mean_D f² |dt|`, as far as the sample came; empty where the solver does not integrate it.
  public var kineticEnergies: [Double]
  /// `∫ ‖J‖²_F / D |dt|`, or its estimate, likewise.
  public var frobeniusNorms: [Double]
  /// States at the problem's output times, `[count][times][D]`; NaN at those that a failed sample has not reached.
  public var statesAtTimes: [Scalar]
  /// Log-determinants from t0 to the output times, `[count][times]`, likewise.
  public var logDeterminantsAtTimes: [Double]
  /// By the reversible adjoint: the largest distance of a component of the initial state from where the way back has ended; NaN
  /// for samples that did not get back, empty without such a way.
  public var retraceErrors: [Double]
  /// Number of the problem's event that ended the sample; nil: none. Empty where the problem has no events.
  public var events: [Int?]

  public init(
    states: [Scalar], logDeterminants: [Double], timesReached: [Double], statuses: [SampleStatus],
    acceptedSteps: [Int], rejectedSteps: [Int], evaluations: [Int], smallestSteps: [Double], adjointEvaluations: [Int],
    kineticEnergies: [Double] = [], frobeniusNorms: [Double] = [], statesAtTimes: [Scalar] = [],
    logDeterminantsAtTimes: [Double] = [], retraceErrors: [Double] = [], events: [Int?] = []
  ) {
    self.states = states
    self.logDeterminants = logDeterminants
    self.timesReached = timesReached
    self.statuses = statuses
    self.acceptedSteps = acceptedSteps
    self.rejectedSteps = rejectedSteps
    self.evaluations = evaluations
    self.smallestSteps = smallestSteps
    self.adjointEvaluations = adjointEvaluations
    self.kineticEnergies = kineticEnergies
    self.frobeniusNorms = frobeniusNorms
    self.statesAtTimes = statesAtTimes
    self.logDeterminantsAtTimes = logDeterminantsAtTimes
    self.retraceErrors = retraceErrors
    self.events = events
  }

  /// Number of the first sample that did not reach its end time.
  public var firstFailure: Int? { statuses.firstIndex { $0 != .ok } }
}
