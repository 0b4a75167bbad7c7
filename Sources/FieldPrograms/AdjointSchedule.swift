/// How a gradient is computed, and which states of the forward pass are stored for it.
public enum AdjointSchedule: Sendable, Equatable {
  /// The exact gradient of the steps that were taken. The state of each step is stored.
  ///
  /// `every`, `binomial` and `automatic` give the same bits from fewer stored states (checkpoints): the backward pass
  /// recomputes the states between them. The times and lengths of all steps are always stored.
  case everyStep
  /// Stores the state of every k-th step of a sample, k at least 1. The backward pass recomputes the others, k − 1 at a
  /// time.
  case every(Int)
  /// Stores as many states as fit into `bytes` per thread; nil means 16 MiB.
  ///
  /// With fixed steps, the backward pass recomputes as few steps as possible (Griewank and Walther's "revolve"). Only
  /// the C kernels have this schedule.
  case binomial(bytes: Int? = nil)
  /// Stores every state while the states fit into `bytes` per thread, and continues like `binomial` after that.
  ///
  /// nil means a quarter of the memory that the process may use, divided among the threads. Only the C kernels have
  /// this schedule.
  case automatic(bytes: Int? = nil)
  /// The gradient of the exact flow (not of the steps), by a second solve backward in time. It stores no states, so
  /// memory does not grow with the number of steps.
  ///
  /// Its accuracy is that of its tolerances. nil means those of the forward solve; with fixed steps they are not used.
  /// A sample whose backward solve fails keeps its loss, has the status of that failure, and has no gradient. Works in
  /// full precision.
  case continuous(rtol: Double? = nil, atol: Double? = nil)
  /// The gradient of the steps that were taken. The backward pass reverses them one by one, so no state is stored.
  ///
  /// It is exact up to the rounding errors of the reversed steps, which `Solution.reconstructionErrors` measures. Only
  /// for the method reversible_heun and the C kernels. A sample that becomes infinite or NaN in the backward pass has
  /// no gradient, as with `continuous`.
  case reversible
}
