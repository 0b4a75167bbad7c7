/// Where a sample's solve stops before its end time: where a function g of time and state crosses zero.
///
/// The sample's status is then ok, its state, log-determinant and time reached are those of the crossing, which gradients are exact
/// for: of the state, and of the time itself (`Loss.cotangents`, `eventTimes`).
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
/// g is looked at where steps end: two crossings within one step are missed. A sample that starts where g is 0 has no sign yet, and no
/// event until it has had one. g that is not a number gives its sample `SampleStatus.eventUndefined`.
public struct SolveEvent<Scalar: FlowScalar>: Sendable {
  /// As the sample travels, whichever way time runs.
  public enum Direction: Int32, Sendable {
    case either = 0
    /// From negative to positive.
    case rising = 1
    case falling = -1
  }

  /// `(t, x)`: g, of one sample's state `[D]`.
  public typealias Value = @Sendable (Double, Span<Scalar>) -> Double
  /// `(t, x, slope)`: writes all of `∂g/∂x` `[D]`, and returns `∂g/∂t`.
  public typealias Slope = @Sendable (Double, Span<Scalar>, inout MutableSpan<Scalar>) -> Double

  public let direction: Direction
  /// In time: the crossing is passed by no more. nil: 16 units in the scalar's last place of the larger of both times.
  public let tolerance: Double?
  /// nil: no gradients.
  public let gradient: Slope?
  /// Called from several threads at a time; numbers must depend on the arguments alone.
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
