/// How a gradient is made of a solve, and what is kept for it.
public enum AdjointSchedule: Sendable, Equatable {
  /// The exact gradient of the steps that were taken; each of them is recorded. The next three give the same, bit for bit, from
  /// fewer states: those in between are made again from the last one before them. What grows with the steps is then their times
  /// and lengths, and of `every` the states that it records.
  case everyStep
  /// The state of every k-th step of a sample is recorded, k at least 1; the others are made once more, k − 1 at a time.
  case every(Int)
  /// At most as many states are held as `bytes` have room for, per thread; nil: 16 MiB. Of fixed steps as few are made again as
  /// is possible (Griewank and Walther's "revolve"). The C kernels alone have it.
  case binomial(bytes: Int? = nil)
  /// Every step while their states fit in `bytes` per thread, then as `binomial`; nil: a quarter of the machine's memory over
  /// the threads. The C kernels alone have it.
  case automatic(bytes: Int? = nil)
  /// The gradient of the flow, by a second solve backward in time that needs no record: memory does not grow with steps. As near
  /// as its tolerances make it, which are the solve's where they are nil; with fixed steps they are not used. A sample that does
  /// not get back has the status of its way back, its loss, and no gradient. In full precision.
  case continuous(rtol: Double? = nil, atol: Double? = nil)
  /// The gradient of the steps that were taken, which the way back undoes one by one: no state is recorded, and it is exact but
  /// for the rounding of that, which `Solution.retraceErrors` measures. Of the method reversible_heun alone, by the C kernels. A
  /// sample that comes to numbers that are not finite on the way back has no gradient, as one of the continuous adjoint.
  case reversible
}
