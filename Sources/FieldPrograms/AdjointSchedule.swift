/// How a gradient is made of a solve, and what is kept for it.
public enum AdjointSchedule: Sendable, Equatable {
  /// The exact gradient of the steps that were taken; each of them is recorded.
  case everyStep
  /// The gradient of the flow, by a second solve backward in time that needs no record: memory does not grow with steps. As near
  /// as its tolerances make it, which are the solve's where they are nil; with fixed steps they are not used. A sample that does
  /// not get back has the status of its way back, its loss, and no gradient. The C kernels alone have it, in full precision.
  case continuous(rtol: Double? = nil, atol: Double? = nil)
  /// The gradient of the steps that were taken, which the way back undoes one by one: no state is recorded, and it is exact but
  /// for the rounding of that, which `Solution.retraceErrors` measures. Of the method reversible_heun alone, by the C kernels. A
  /// sample that comes to numbers that are not finite on the way back has no gradient, as one of the continuous adjoint.
  case reversible
}
