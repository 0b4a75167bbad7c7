/// Evenly spaced times, for plots of a flow.
extension ContinuousFlow {
  /// `count` evenly spaced times from 0 to T, for `paths` and `logDensityPaths`; a single time is T.
  ///
  /// - Parameter count: positive.
  public func evenTimes(_ count: Int) -> [Double] { even(count, until: endTime) }
}

extension StackedFlow {
  /// `count` evenly spaced times from 0 to K T, for `paths` and `logDensityPaths`; a single time is K T.
  public func evenTimes(_ count: Int) -> [Double] { even(count, until: totalTime) }
}

/// Divides first: the quotient rises to exactly 1, and its product with `end` rounds to at most `end`. So the times
/// rise, none exceeds `end`, and the last is exactly `end`. (`end · i / n` misses 66 of the ends 0.01, 0.02 … 4 by an
/// ulp, for n = 40.)
private func even(_ count: Int, until end: Double) -> [Double] {
  precondition(count > 0, "\(count) times, must be at least 1")
  guard count > 1 else { return [end] }
  return (0..<count).map { end * (Double($0) / Double(count - 1)) }
}
