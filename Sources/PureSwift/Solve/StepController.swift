import FieldPrograms

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Step sizes of one sample (torchdiffeq `_impl/misc.py`; Hairer, Nørsett, Wanner, "Solving Ordinary Differential
/// Equations I", II.4), with norms over that sample alone.
struct StepController: Sendable {
  let rtol: Double
  let atol: Double
  /// Exponent of the error ratio: the lower of the two orders, plus one.
  let errorOrder: Int
  let initialStep: Double?
  let minimumStep: Double?
  let maximumSteps: Int
  let includesLogDeterminant: Bool

  private static let safety = 0.9
  private static let largestFactor = 10.0
  private static let smallestFactor = 0.2
  /// Steps that end this near the end time, as a part of the interval, end there.
  private static let endTolerance = 1e-12

  /// What the next step's length is multiplied by. A ratio that is not finite is a rejection.
  func factor(ratio: Double) -> Double {
    guard ratio.isFinite else { return Self.smallestFactor }
    if ratio == 0 { return Self.largestFactor }
    let smallest = ratio < 1 ? 1 : Self.smallestFactor
    return min(Self.largestFactor, max(Self.safety * pow(ratio, -1 / Double(errorOrder)), smallest))
  }

  /// err/(atol + rtol · max(|x|, |x′|)), squared; no error is no error, even where the tolerance is 0.
  @inline(__always)
  func squaredRatio(error: Double, before: Double, after: Double) -> Double {
    if error == 0 { return 0 }
    let ratio = error / (atol + rtol * max(abs(before), abs(after)))
    return ratio * ratio
  }

  /// A quantity against the tolerance at one state, squared.
  @inline(__always)
  func squaredRatio(_ quantity: Double, at state: Double) -> Double {
    squaredRatio(error: quantity, before: state, after: state)
  }

  /// The step to try from `time` on: `proposed`, or what is left of the interval where that ends it.
  func clipped(_ proposed: Double, from time: Double, start: Double, end: Double) -> (step: Double, isLast: Bool) {
    let forward: Double = end >= start ? 1 : -1
    let overshoot = forward * (time + proposed - end)
    if overshoot >= -Self.endTolerance * abs(end - start) { return (end - time, true) }
    // As far as the sum is from `time` when rounded, so that state and time go the same way.
    return ((time + proposed) - time, false)
  }

  /// No step but the last may be shorter: it ends the sample.
  func smallestStep(at time: Double, end: Double) -> Double {
    minimumStep ?? 16 * max(abs(time), abs(end)).ulp
  }

  /// Length of the trial step, from the root mean squares of x₀ and f₀ against the tolerance.
  func trialStep(stateNorm: Double, velocityNorm: Double) -> Double {
    let step = stateNorm < 1e-5 || velocityNorm < 1e-5 ? 1e-6 : 0.01 * stateNorm / velocityNorm
    // Only an absolute tolerance of 0 can make the norms infinite.
    return step.isFinite && step > 0 ? step : 1e-6
  }

  /// Length of the first step; `changeNorm` is the root mean square of f₁ − f₀ against the tolerance.
  func firstStep(trial: Double, velocityNorm: Double, changeNorm: Double, interval: Double) -> Double {
    let curvature = changeNorm / trial
    let other =
      velocityNorm <= 1e-15 && curvature <= 1e-15
      ? max(1e-6, 1e-3 * trial) : pow(0.01 / max(velocityNorm, curvature), 1 / Double(errorOrder))
    let step = min(100 * trial, other)
    // A field that is not finite at the trial point says nothing but "not so far".
    return min(step.isFinite && step > 0 ? step : trial, interval)
  }
}
