import FieldPrograms

/// The intervals between output times of a sample. Interval 0 begins at the start, interval i ends at output time i,
/// the last at the end. A step ends at the end of every interval.
struct Intervals: Sendable {
  let start: Double
  let end: Double
  let times: ArraySlice<Double>

  func begin(of interval: Int) -> Double { interval > 0 ? times[times.startIndex + interval - 1] : start }
  func end(of interval: Int) -> Double { interval < times.count ? times[times.startIndex + interval] : end }
  func isFinal(_ interval: Int) -> Bool { interval == times.count }
  /// Whether the times run from the start to the end in the order of the solve.
  var areInOrder: Bool {
    let direction: Double = end < start ? -1 : 1
    let all = [start] + times + [end]
    return zip(all, all.dropFirst()).allSatisfy { direction * $0 <= direction * $1 }
  }
}

/// `time`, but not beyond `stop` in the direction of `step`.
func limited(_ time: Double, _ step: Double, to stop: Double) -> Double {
  step > 0 ? min(time, stop) : step < 0 ? max(time, stop) : time
}

/// The time at a fraction of a step from `time` to `end`; at 1 that is `end` to the bit. Rounding never moves it beyond
/// the end. Only a method whose own fraction is outside 0 … 1 leaves the step (yoshida4).
func timeInStep(_ time: Double, _ step: Double, _ fraction: Double, end: Double) -> Double {
  if fraction == 1 { return end }
  let at = time + fraction * step
  return fraction < 0 || fraction > 1 ? at : limited(at, step, to: end)
}

extension SolveProblem {
  /// The intervals of a sample with `timeCount` output times.
  func intervals(of sample: Int, timeCount: Int) -> Intervals {
    Intervals(
      start: startTime(of: sample), end: endTime(of: sample),
      times: sampleOutputTimes?[sample * timeCount..<(sample + 1) * timeCount] ?? outputTimes[...])
  }
}
