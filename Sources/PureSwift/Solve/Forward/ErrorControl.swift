import CLibrary
import FieldPrograms

/// Errors and step sizes of one sample (torchdiffeq `_impl/misc.py`; Hairer, Nørsett, Wanner, "Solving Ordinary
/// Differential Equations I", II.4), with norms over that sample only.
struct ErrorControl: Sendable {
  /// `[D + 1]`: one for each row of the state, and one for the log-determinant.
  private(set) var rtol: [Double]
  private(set) var atol: [Double]
  /// A unit in the last place: relative tolerances below it are raised to it. A step's result is rounded by up to half
  /// of that.
  let smallestRtol: Double
  let controller: StepController
  let norm: ErrorNorm
  /// Exponent of the error ratio: the lower of the two orders, plus one.
  let errorOrder: Int
  let initialStep: Double?
  let minimumStep: Double?
  let maximumStep: Double?
  /// How fast the field can change with t by itself; 0 if its steps are not limited for that.
  let timeRate: Double
  let maximumSteps: Int
  private(set) var includesLogDeterminant: Bool

  /// Steps that end this close to the end time, as a fraction of the interval, end there.
  private static let endTolerance = 1e-12

  /// Error ratios of a sample's last two accepted steps; 1 if there are none.
  struct Past: Sendable {
    var last = 1.0
    var earlier = 1.0
  }

  init(
    _ options: SolverOptions, rtol: Double, atol: Double, rows: Int, norm: ErrorNorm, errorOrder: Int,
    includesLogDeterminant: Bool, smallestRtol: Double, timeRate: Double = 0
  ) {
    let given = (options.relativeTolerances ?? Array(repeating: rtol, count: rows)) + [rtol]
    self.rtol = given.map { max($0, smallestRtol) }
    self.atol = (options.absoluteTolerances ?? Array(repeating: atol, count: rows)) + [atol]
    self.smallestRtol = smallestRtol
    controller = options.stepController
    self.norm = norm
    self.errorOrder = errorOrder
    initialStep = options.initialStep
    minimumStep = options.minimumStep
    maximumStep = options.maximumStep
    self.timeRate = timeRate
    maximumSteps = options.maximumSteps
    self.includesLogDeterminant = includesLogDeterminant
  }

  /// Error control of the continuous adjoint: over the rows of the state and of its cotangent, with the schedule's
  /// tolerances, or row by row with these. The log-determinant is not part of it.
  func forBackward(_ schedule: AdjointSchedule, rows: Int) -> ErrorControl? {
    guard case .continuous(let rtol, let atol) = schedule else { return nil }
    var control = self
    let both = (0..<2 * rows).map { $0 % rows }
    control.rtol = both.map { max(rtol ?? self.rtol[$0], smallestRtol) }
    control.atol = both.map { atol ?? self.atol[$0] }
    control.includesLogDeterminant = false
    return control
  }

  /// The factor for the next step's length. An accepted attempt is remembered for later steps. A ratio that is not
  /// finite is a rejection; a ratio of 0 does not influence later steps.
  func factor(ratio: Double, past: inout Past) -> Double {
    guard ratio.isFinite else { return controller.smallestFactor }
    let order = Double(errorOrder)
    let (p, i, d) = (controller.proportional, controller.integral, controller.derivative)
    var factor = ratio == 0 ? .infinity : controller.safety * pow(ratio, -(p + i + d) / order)
    if p + 2 * d != 0 { factor *= pow(past.last, (p + 2 * d) / order) }
    if d != 0 { factor *= pow(past.earlier, -d / order) }
    guard ratio <= 1 else { return min(max(factor, controller.smallestFactor), controller.safety) }
    past = Past(last: ratio == 0 ? 1 : ratio, earlier: past.last)
    return min(max(factor, ratio < 1 ? 1 : controller.smallestFactor), controller.largestFactor)
  }

  /// err/(atol + rtol · max(|x|, |x′|)) of a row, squared; an error of 0 gives 0 even if the tolerance is 0.
  @inline(__always)
  func squaredRatio(row: Int, error: Double, before: Double, after: Double) -> Double {
    if error == 0 { return 0 }
    let ratio = error / (atol[row] + rtol[row] * max(abs(before), abs(after)))
    return ratio * ratio
  }

  /// The sum of squares with one more term, or the largest square; NaN if a term is NaN.
  @inline(__always)
  func joined(_ squares: Double, _ square: Double) -> Double {
    switch norm {
    case .rootMeanSquare: squares + square
    case .maximum: squares.isNaN || square <= squares ? squares : square
    }
  }

  /// The norm of `count` ratios, from their joined value.
  func norm(_ squares: Double, count: Int) -> Double {
    (norm == .maximum ? squares : squares / Double(count)).squareRoot()
  }

  /// `proposed`, limited to the longest step. By default that is a part of the span if the field reads t, because the
  /// stages of a long step may miss what the field does for a short time; and longer if the weights let the field
  /// change only slowly. A given length of the first step is limited by a given longest step alone.
  func bounded(_ proposed: Double, span: Double, isFirst: Bool) -> Double {
    var longest = maximumStep ?? .infinity
    if maximumStep == nil && timeRate > 0 && !(isFirst && initialStep != nil) {
      longest = max(abs(span) / 20, 2 / timeRate, minimumStep ?? 0)
    }
    guard abs(proposed) > longest, longest > 0 else { return proposed }
    return proposed < 0 ? -longest : longest
  }

  /// The least error ratio that a sample's first step counts with, because its own estimate may vanish by chance. The
  /// arguments are sizes over the tolerance: of x′ − x, of h f, and of x′ − x − h f.
  func leastFirstRatio(errorConstant: Double, moved: Double, straight: Double, bend: Double) -> Double {
    let rate = bend < 4 * straight ? 2 * bend / straight : 8
    return 0.5 * errorConstant * max(moved, straight) * pow(rate, Double(errorOrder - 1))
  }

  /// The step to try from `time` on: `proposed`, or the rest up to `stop`, the end of the interval, if that is closer
  /// or within rounding of the whole span.
  func clipped(
    _ proposed: Double, from time: Double, stop: Double, start: Double, end: Double
  ) -> (step: Double, isLast: Bool) {
    let forward: Double = end >= start ? 1 : -1
    let overshoot = forward * (time + proposed - stop)
    if overshoot >= -Self.endTolerance * abs(end - start) { return (stop - time, true) }
    // The distance of the rounded sum from `time`, so that state and time move together.
    return ((time + proposed) - time, false)
  }

  /// The step to propose after an accepted step that was shortened from `planned` to end at an output time. The error
  /// of a shortened step says little about the next one. So the planned step stays, or the step's own proposal if that
  /// is longer; the error ratio is not remembered.
  func proposedAfterCut(_ step: Double, planned: Double, ratio: Double, past: Past) -> Double {
    var past = past
    let length = max(abs(planned), abs(step) * factor(ratio: ratio, past: &past))
    return planned < 0 ? -length : length
  }

  /// Only a step that ends an interval may be shorter; any other shorter step ends the sample.
  func smallestStep(at time: Double, end: Double) -> Double {
    minimumStep ?? 16 * max(abs(time), 1e-12 * abs(end)).ulp
  }

  /// Length of the trial step, from the norms of x₀ and f₀ against the tolerance.
  func trialStep(stateNorm: Double, velocityNorm: Double, interval: Double) -> Double {
    let isSmall = stateNorm < 1e-5 || interval * velocityNorm < 1e-5
    let step = isSmall ? 1e-6 * interval : 0.01 * stateNorm / velocityNorm
    // The norms can be infinite only if an absolute tolerance is 0.
    return step.isFinite && step > 0 ? step : 1e-6 * interval
  }

  /// Length of the first step; `changeNorm` is the norm of f₁ − f₀ against the tolerance. The unit of time of the
  /// book's formula is twice the longer of the times in which x and f change by their sizes, but at most the
  /// interval.
  func firstStep(trial: Double, stateNorm: Double, velocityNorm: Double, changeNorm: Double, interval: Double) -> Double
  {
    let curvature = changeNorm / trial
    let unit = Double.minimum(interval, 2 * Double.maximum(stateNorm / velocityNorm, velocityNorm / curvature))
    let isZero = interval * velocityNorm <= 1e-15 && interval * (interval * curvature) <= 1e-15
    let other =
      isZero
      ? max(1e-6 * interval, 1e-3 * trial)
      : unit * pow(0.01 / max(unit * velocityNorm, unit * (unit * curvature)), 1 / Double(errorOrder))
    let step = min(100 * trial, other)
    // If the field is not finite at the trial state, the step must be shorter.
    return min(step.isFinite && step > 0 ? step : trial, interval)
  }
}
