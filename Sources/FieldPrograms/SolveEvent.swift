/// An event stops a sample's solve before its end time, where a function g of time and state crosses zero.
///
/// The status of the sample is then ok, and its state, log-determinant and time reached are those at the crossing.
/// Gradients of the state and of the time of the crossing are exact (`Loss.cotangents`, `eventTimes`).
///
/// ```swift
/// let ground = SolveEvent<Double>(
///   direction: .falling,
///   gradient: { time, state, slope in
///     slope[0] = 1  // ∂g/∂height
///     slope[1] = 0  // ∂g/∂velocity
///     return 0  // ∂g/∂t
///   },
///   value: { time, state in state[0] })
/// problem.events = [ground]
/// let fall = try solver.solve(problem)
/// print(fall.timesReached, fall.events)
/// ```
///
/// g is evaluated at the end of each step, and at 8 places within it on the step's interpolant. A g that returns within
/// a ninth of a step, or only touches zero, is missed: use a shorter `maximumStep`, or more steps. A sample that starts
/// at g = 0 can have an event only after g has had a sign. If g is NaN, the sample has the status `.eventUndefined`.
public struct SolveEvent<Scalar: FlowScalar>: Sendable {
  /// The change of sign of g along the solve, whether time increases or decreases.
  public enum Direction: Int32, Sendable {
    case either = 0
    /// From negative to positive.
    case rising = 1
    case falling = -1
  }

  /// `(t, x)`: returns g for the state `[D]` of one sample.
  public typealias Value = @Sendable (Double, Span<Scalar>) -> Double
  /// `(t, x, slope)`: writes all of `∂g/∂x` `[D]` to `slope`, and returns `∂g/∂t`.
  public typealias Slope = @Sendable (Double, Span<Scalar>, inout MutableSpan<Scalar>) -> Double

  public let direction: Direction
  /// The largest time by which the solve may stop after the crossing. nil means 16 units in the last place of the
  /// scalar type at the larger of the start and the end time.
  public let tolerance: Double?
  /// The derivatives of g, which gradients of the solve need.
  public let gradient: Slope?
  /// The function g. Several threads call it at once; its result must depend on the arguments only.
  public let value: Value

  public init(
    direction: Direction = .either, tolerance: Double? = nil, gradient: Slope? = nil, value: @escaping Value
  ) {
    self.direction = direction
    self.tolerance = tolerance
    self.gradient = gradient
    self.value = value
  }
}
