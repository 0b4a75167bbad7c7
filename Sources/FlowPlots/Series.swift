import CLibrary

/// A named line of a plot.
public struct Series: Equatable, Sendable {
  /// The name in the legend. A series with an empty name is not in the legend.
  public var name: String
  /// The points in the order of the line. Points that cannot be drawn make gaps.
  public var points: [Point]
  /// The style of the line; nil uses the next colour of the palette.
  public var stroke: Stroke?

  public init(name: String, points: [Point], stroke: Stroke? = nil) {
    self.name = name
    self.points = points
    self.stroke = stroke
  }

  /// A line with one value per step.
  ///
  /// - Precondition: `steps` and `values` have the same length.
  public init(name: String, steps: [Double], values: [Double]) {
    precondition(
      steps.count == values.count,
      "series \"\(name)\" has \(steps.count) steps and \(values.count) values, must be the same number")
    self.init(name: name, points: zip(steps, values).map { Point(x: $0, y: $1) })
  }

  /// The points, smoothed by local linear regression.
  ///
  /// Each finite value is replaced by that of a straight line fitted to the points around it. The weight of a point
  /// halves with every `halfLife` of distance along x. Unlike a moving average, a fitted line does not lag behind a
  /// falling curve, and has no bias at the ends.
  func smoothed(halfLife: Double) -> [Point] {
    let (before, after) = (moments(points.indices, halfLife), moments(points.indices.reversed(), halfLife))
    return points.indices.map { index in
      guard let one = before[index], let other = after[index] else { return points[index] }
      let y = points[index].y
      // The point itself is in both sums.
      let (s0, s1, s2) = (one.s0 + other.s0 - 1, one.s1 + other.s1, one.s2 + other.s2)
      let (t0, t1) = (one.t0 + other.t0 - y, one.t1 + other.t1)
      let determinant = s0 * s2 - s1 * s1
      let fit = determinant > 1e-9 * s0 * s2 ? (s2 * t0 - s1 * t1) / determinant : t0 / s0
      return Point(x: points[index].x, y: fit)
    }
  }

  /// Weighted sums over the points up to one of them, where u is the distance from it in half-lives: sₖ = Σ w uᵏ and
  /// tₖ = Σ w uᵏ y.
  private struct Moments {
    var s0 = 0.0
    var s1 = 0.0
    var s2 = 0.0
    var t0 = 0.0
    var t1 = 0.0
  }

  /// For each finite point, the moments over itself and the points before it in `order`.
  ///
  /// One pass computes them: moving on by the distance d turns u into u − d, and w into w·0.5^|d|.
  private func moments(_ order: some Sequence<Int>, _ halfLife: Double) -> [Moments?] {
    var result: [Moments?] = Array(repeating: nil, count: points.count)
    var (sum, last) = (Moments(), 0.0)
    for index in order where points[index].x.isFinite && points[index].y.isFinite {
      let d = (points[index].x - last) / halfLife
      let keep = pow(0.5, abs(d))
      // For a large distance, the old sums must become 0 and not 0·∞.
      sum =
        keep < 1e-30
        ? Moments()
        : Moments(
          s0: keep * sum.s0, s1: keep * (sum.s1 - d * sum.s0), s2: keep * (sum.s2 - d * (2 * sum.s1 - d * sum.s0)),
          t0: keep * sum.t0, t1: keep * (sum.t1 - d * sum.t0))
      sum.s0 += 1
      sum.t0 += points[index].y
      last = points[index].x
      result[index] = sum
    }
    return result
  }
}
