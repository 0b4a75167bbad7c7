/// The input of one solve: the samples, their time interval, the parameters, and the source of the probes.
public struct SolveProblem<Scalar: FlowScalar>: Sendable {
  /// The parameters θ of the field, `[P]`.
  public var parameters: [Scalar]
  /// The states at `startTime`, `[count][D]` row-major.
  public var states: [Scalar]
  public var startTime: Double
  /// May be before `startTime`: the solve then runs backward in time.
  public var endTime: Double
  /// Hutchinson's probes, `[count][K][D]`; nil draws them as a function of `(seed, step, sample identifier)`.
  public var probes: [Scalar]?
  /// The seed of probes and dropout masks.
  public var seed: UInt64
  /// The training step, which gives each step its own probes and masks; below 2⁴⁴.
  public var step: UInt64
  /// The identifiers of the samples for probes and masks, `[count]`; nil gives sample i the identifier i.
  public var sampleIdentifiers: [UInt64]?
  /// For fixed steps, the start and the ends of the steps as fractions of the time interval, rising from 0 to 1; nil
  /// means equal steps.
  public var stepFractions: [Double]?
  /// Times from `startTime` to `endTime`, in the order of the solve, at which the states of all samples are returned.
  ///
  /// A step ends at each of them. With fixed steps, the number of steps is that of each interval between them. They
  /// cannot be combined with step fractions or with steps that are common to a batch.
  public var outputTimes: [Double]
  /// Times at which the field jumps, rising: a step of every sample ends at each of them, and the next begins anew.
  /// They need steps per sample and the C kernels; cnf.h, "Jump times", has the details.
  public var jumpTimes: [Double]
  /// The start time of each sample, `[count]`, in place of `startTime`; nil uses `startTime`.
  ///
  /// A sample's results are the same as in a problem where all samples have its times. Individual times cannot be
  /// combined with steps that are common to a batch.
  public var startTimes: [Double]?
  /// The end time of each sample, `[count]`, in place of `endTime`; nil uses `endTime`.
  public var endTimes: [Double]?
  /// The output times of each sample from its start to its end time, `[count][times]`, in place of `outputTimes`; nil
  /// uses those.
  public var sampleOutputTimes: [Double]?
  /// Events that end a sample before `endTime`, at most 8. The first one that occurs counts. They cannot be combined
  /// with Adams methods or with steps that are common to a batch.
  public var events: [SolveEvent<Scalar>]
  /// The rows that the program's `context` operations read, `[count][C]` row-major; empty if C is 0.
  public var context: [Scalar]
  /// Whether `dropout` operations drop rows. Set it in training only.
  ///
  /// A sample has one mask for a whole solve and its gradient, a function of `(seed, step, sample identifier)`.
  public var dropoutIsActive: Bool

  public init(
    parameters: [Scalar], states: [Scalar], from startTime: Double, to endTime: Double, probes: [Scalar]? = nil,
    seed: UInt64 = 0, step: UInt64 = 0, sampleIdentifiers: [UInt64]? = nil, stepFractions: [Double]? = nil,
    outputTimes: [Double] = [], jumpTimes: [Double] = [], startTimes: [Double]? = nil, endTimes: [Double]? = nil,
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
    self.jumpTimes = jumpTimes
    self.startTimes = startTimes
    self.endTimes = endTimes
    self.sampleOutputTimes = sampleOutputTimes
    self.events = events
    self.context = context
    self.dropoutIsActive = dropoutIsActive
  }

  public func startTime(of sample: Int) -> Double { startTimes?[sample] ?? startTime }
  public func endTime(of sample: Int) -> Double { endTimes?[sample] ?? endTime }
  /// The number of output times of each of `count` samples.
  public func outputTimeCount(sampleCount count: Int) -> Int {
    guard let sampleOutputTimes else { return outputTimes.count }
    return count == 0 ? 0 : sampleOutputTimes.count / count
  }
}

/// The scalar types of states: `Float` and `Double`.
public protocol FlowScalar: BinaryFloatingPoint, SIMDScalar, Codable, Sendable {}
extension Float: FlowScalar {}
extension Double: FlowScalar {}

/// How the solve of one sample ended. A failed sample never affects the others. The raw values are those of
/// `cnf_sample_status`.
public enum SampleStatus: Int32, Sendable, CaseIterable {
  /// The sample reached its end time or an event.
  case ok = 0
  /// The sample took the maximum number of steps before it reached its end time.
  case maximumSteps = 1
  /// The sample needs steps that are too small to change its time: the field is stiff or singular.
  case stepTooSmall = 2
  /// The state, field, log-determinant, a regulariser or the gradient of the sample became infinite or NaN.
  case notFinite = 3
  /// The function of an event is NaN, or the time of its crossing has no derivative.
  case eventUndefined = 4
  /// The host ended the call before the sample was done. Only callers of the C library can: `cnf_solve_input.progress`.
  case cancelled = 5
}

extension SampleStatus: CustomStringConvertible {
  public var description: String {
    switch self {
    case .ok: "ok"
    case .maximumSteps: "took the maximum number of steps before reaching its end time"
    case .stepTooSmall: "needs steps too small to change its time (stiff or singular field)"
    case .notFinite: "became infinite or not a number"
    case .eventUndefined: "met an event whose function is not a number, or whose time has no derivative"
    case .cancelled: "was not done when the call was ended"
    }
  }
}

/// The results of a solve. All arrays have one entry (`states`: one row) per sample.
public struct Solution<Scalar: FlowScalar>: Sendable {
  /// The states at the end time, or where an event or a failure stopped the sample, `[count][D]`.
  public var states: [Scalar]
  /// `log |det ∂x(t1)/∂x(t0)|`, the integral of the divergence from t0 to t1.
  public var logDeterminants: [Double]
  /// The end time, or the time at which an event or a failure stopped the sample.
  public var timesReached: [Double]
  public var statuses: [SampleStatus]
  public var acceptedSteps: [Int]
  public var rejectedSteps: [Int]
  /// The number of evaluations of the field, including those of rejected steps and of the choice of the first step.
  public var evaluations: [Int]
  /// The length of the shortest accepted step, including the last one; 0 if there is none.
  public var smallestSteps: [Double]
  /// The number of evaluations that the backward pass of a gradient differentiated; 0 without a gradient.
  public var adjointEvaluations: [Int]
  /// `∫ ½ mean_D f² |dt|` up to the time reached; empty if the solver does not integrate it.
  public var kineticEnergies: [Double]
  /// `∫ ‖J‖²_F / D |dt|` or its estimate, up to the time reached; empty if the solver does not integrate it.
  public var frobeniusNorms: [Double]
  /// The states at the problem's output times, `[count][times][D]`; NaN at times that the sample did not reach.
  public var statesAtTimes: [Scalar]
  /// The log-determinants from t0 to the output times, `[count][times]`; NaN at times that the sample did not reach.
  public var logDeterminantsAtTimes: [Double]
  /// For the reversible adjoint, how far the end of its backward pass is from the initial state: the largest difference
  /// of a component.
  ///
  /// NaN for samples whose backward pass failed; empty for other adjoints.
  public var reconstructionErrors: [Double]
  /// The index of the event that ended the sample, nil if none did. Empty if the problem has no events.
  public var events: [Int?]

  public init(
    states: [Scalar], logDeterminants: [Double], timesReached: [Double], statuses: [SampleStatus],
    acceptedSteps: [Int], rejectedSteps: [Int], evaluations: [Int], smallestSteps: [Double], adjointEvaluations: [Int],
    kineticEnergies: [Double] = [], frobeniusNorms: [Double] = [], statesAtTimes: [Scalar] = [],
    logDeterminantsAtTimes: [Double] = [], reconstructionErrors: [Double] = [], events: [Int?] = []
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
    self.reconstructionErrors = reconstructionErrors
    self.events = events
  }

  /// The index of the first sample whose status is not ok; nil if there is none.
  public var firstFailure: Int? { statuses.firstIndex { $0 != .ok } }
}
