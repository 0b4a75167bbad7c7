/// Times to show a flow at.
extension ContinuousFlow {
  /// `count` times of equal distances from 0 to T, for `paths` and `logDensityPaths`; one alone is T.
  ///
  /// - Parameter count: positive.
  public func evenTimes(_ count: Int) -> [Double] { even(count, until: endTime) }
}

extension StackedFlow {
  /// The same from 0 to K T, for `paths` and `logDensityPaths`.
  public func evenTimes(_ count: Int) -> [Double] { even(count, until: totalTime) }
}

/// The quotient comes first: it rises to exactly 1, and a product with what is at most 1 is rounded to at most `end`. So the times
/// rise, none lies beyond `end`, and the last is `end` itself. (`end · i / n` misses 66 of the ends 0.01, 0.02 … 4 by an ulp, n = 40.)
private func even(_ count: Int, until end: Double) -> [Double] {
  precondition(count > 0, "\(count) times, must be at least 1")
  guard count > 1 else { return [end] }
  return (0..<count).map { end * (Double($0) / Double(count - 1)) }
}
