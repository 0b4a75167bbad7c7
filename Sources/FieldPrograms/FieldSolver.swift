/// A loss that is a sum over samples of a function of the final state and the log-determinant, also at output times.
public enum Loss<Scalar: FlowScalar>: Sendable {
  /// A loss whose cotangents you know.
  ///
  /// `states` is `∂L/∂x(t1)` `[count][D]`, and `logDeterminants` is `∂L/∂(log-determinant)` `[count]`. `statesAtTimes`
  /// `[count][times][D]` and `logDeterminantsAtTimes` `[count][times]` are the same at the problem's output times.
  /// `eventTimes` `[count]` is `∂L/∂(time reached)` of samples that an event ended. Empty arrays stand for zeros.
  case cotangents(
    states: [Scalar], logDeterminants: [Double], statesAtTimes: [Scalar] = [], logDeterminantsAtTimes: [Double] = [],
    eventTimes: [Double] = [])
  /// The NLL of samples that the solve maps to a standard normal base: `scale · Σ −(log N(x(t1); 0, I) +
  /// log-determinant)`. A scale of `1/count` gives the mean.
  case standardNormalNegativeLogLikelihood(scale: Double)
  /// Any other sum over samples.
  ///
  /// The closure gets samples as they are solved, and several threads call it at once. Its result for a sample must
  /// depend on that sample only; then the gradient is the same at any number of threads.
  case function(@Sendable (SolvedSamples<Scalar>) -> SampleCotangents<Scalar>)
}

/// The derivative of a loss through the steps that were taken.
///
/// For derivatives by times, the steps move along with the times: as fractions of the interval between t0 and t1, or
/// between neighbouring output times, they are constants.
public struct Gradient<Scalar: FlowScalar>: Sendable {
  /// `∂L/∂θ`, `[P]`.
  public var parameters: [Scalar]
  /// `∂L/∂x(t0)`, `[count][D]`; zero for samples that failed.
  public var states: [Scalar]
  /// The contribution of each sample to `∂L/∂t0`, `[count]`.
  public var startTimes: [Double]
  /// The contribution of each sample to `∂L/∂t1`, `[count]`.
  public var endTimes: [Double]
  /// The contribution of each sample to `∂L/∂(output time)`, `[count][times]`.
  public var outputTimes: [Double]
  /// `∂L/∂context`, `[count][C]`; zero for samples that failed.
  public var context: [Scalar]
  /// The scaled loss of each sample, `[count]`; NaN for samples that failed; empty for `.cotangents`.
  public var losses: [Double]
  public var solution: Solution<Scalar>

  public init(
    parameters: [Scalar], states: [Scalar], startTimes: [Double], endTimes: [Double], losses: [Double],
    solution: Solution<Scalar>, outputTimes: [Double] = [], context: [Scalar] = []
  ) {
    self.parameters = parameters
    self.states = states
    self.startTimes = startTimes
    self.endTimes = endTimes
    self.losses = losses
    self.solution = solution
    self.outputTimes = outputTimes
    self.context = context
  }
}

/// A solver of a field program: by the C kernels, or by `PureSwift`.
public protocol FieldSolver<Scalar>: AnyObject {
  associatedtype Scalar: FlowScalar
  var program: FieldProgram { get }
  var options: SolverOptions { get }
  /// The trace that `options.trace` resolves to: `.none`, `.hutchinson`, `.exactTangents` or `.exactProduct`.
  var resolvedTrace: Trace { get }
  /// Solves every sample from `startTime` to `endTime`.
  func solve(_ problem: SolveProblem<Scalar>) throws -> Solution<Scalar>
  /// Solves, and differentiates `loss` plus `regularisation`.
  func gradient(
    of loss: Loss<Scalar>, regularisation: Regularisation, at problem: SolveProblem<Scalar>
  ) throws -> Gradient<Scalar>
  /// For every sample, the start and the ends of its accepted steps as fractions of its time interval.
  ///
  /// They run from 0 to 1 if the status of the sample is ok. A fixed-step problem with one sample's fractions as its
  /// `stepFractions` repeats the steps of that sample. The problem must have no output times.
  func acceptedStepFractions(_ problem: SolveProblem<Scalar>) throws -> [[Double]]
  /// The field `f(x, startTime)` `[count][D]` and its divergence `[count]`, computed by the solver's trace.
  func evaluate(_ problem: SolveProblem<Scalar>) throws -> (velocities: [Scalar], divergences: [Double])
  /// The derivative of a loss of the field itself, at the problem's states and start times, without a solve.
  func fieldGradient(of loss: FieldLoss<Scalar>, at problem: SolveProblem<Scalar>) throws -> FieldGradient<Scalar>
}

extension FieldSolver {
  /// Solves, and differentiates `loss` without regularisation.
  public func gradient(of loss: Loss<Scalar>, at problem: SolveProblem<Scalar>) throws -> Gradient<Scalar> {
    try gradient(of: loss, regularisation: .none, at: problem)
  }
}
