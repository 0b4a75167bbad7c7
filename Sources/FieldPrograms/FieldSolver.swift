/// A loss that is a sum over samples of a function of the final state, the log-determinant, and both at the output times.
public enum Loss<Scalar: FlowScalar>: Sendable {
  /// The cotangents `∂L/∂x(t1)` `[count][D]` and `∂L/∂(log-determinant)` `[count]` are known already, and those of both at the
  /// problem's output times, `[count][times][D]` and `[count][times]`; empty: zeros. `eventTimes` `[count]` are those of the times that
  /// samples reached which an event has ended; empty: zeros.
  case cotangents(
    states: [Scalar], logDeterminants: [Double], statesAtTimes: [Scalar] = [], logDeterminantsAtTimes: [Double] = [],
    eventTimes: [Double] = [])
  /// `scale · Σ −(log N(x(t1); 0, I) + log-determinant)`; `scale` is `1/count` for a mean.
  case standardNormalNegativeLogLikelihood(scale: Double)
  /// Any other sum over samples. The closure is called while samples are solved, from several threads at a time; what it says
  /// of a sample must depend on that sample alone, for the gradient to be the same at any number of threads.
  case function(@Sendable (Arrivals<Scalar>) -> ArrivalCotangents<Scalar>)
}

/// The derivative of a loss: that of the steps that were taken, whose places between t0 and t1, or between neighbouring output
/// times, are constants as fractions.
public struct Gradient<Scalar: FlowScalar>: Sendable {
  /// `∂L/∂θ`, `[P]`.
  public var parameters: [Scalar]
  /// `∂L/∂x(t0)`, `[count][D]`; zero where the sample failed.
  public var states: [Scalar]
  /// Each sample's share of `∂L/∂t0`.
  public var startTimes: [Double]
  /// Each sample's share of `∂L/∂t1`.
  public var endTimes: [Double]
  /// Each sample's share of `∂L/∂(output time)`, `[count][times]`.
  public var outputTimes: [Double]
  /// `∂L/∂context`, `[count][C]`; zero where the sample failed.
  public var context: [Scalar]
  /// Each sample's loss, scaled; NaN where the sample failed; empty for `.cotangents`.
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

/// Something that solves a field program: the C kernels, or `PureSwift`.
public protocol FieldSolver<Scalar>: AnyObject {
  associatedtype Scalar: FlowScalar
  var program: FieldProgram { get }
  var options: SolverOptions { get }
  /// What `options.trace` came to: `.none`, `.hutchinson`, `.exactTangents` or `.exactProduct`.
  var resolvedTrace: Trace { get }
  /// Carries every sample from `startTime` to `endTime`.
  func solve(_ problem: SolveProblem<Scalar>) throws -> Solution<Scalar>
  /// Solves, and differentiates `loss` with what `regularisation` adds to it.
  func gradient(
    of loss: Loss<Scalar>, regularisation: Regularisation, at problem: SolveProblem<Scalar>
  ) throws -> Gradient<Scalar>
  /// The ends of every sample's accepted steps as fractions of its interval, from 0 to 1 where its status is ok. Given back as
  /// `stepFractions` of a fixed-step problem, one sample's fractions repeat its steps. Not for problems with output times.
  func acceptedStepFractions(_ problem: SolveProblem<Scalar>) throws -> [[Double]]
  /// `f(x, startTime)` `[count][D]` and its divergence `[count]` by the solver's trace.
  func evaluate(_ problem: SolveProblem<Scalar>) throws -> (velocities: [Scalar], divergences: [Double])
  /// The derivative of a loss of the field itself, at the problem's states and start times; no step is made.
  func fieldGradient(of loss: FieldLoss<Scalar>, at problem: SolveProblem<Scalar>) throws -> FieldGradient<Scalar>
}

extension FieldSolver {
  /// Solves, and differentiates `loss` alone.
  public func gradient(of loss: Loss<Scalar>, at problem: SolveProblem<Scalar>) throws -> Gradient<Scalar> {
    try gradient(of: loss, regularisation: .none, at: problem)
  }
}
