import CLibrary

/// How an axis spaces its values.
public enum AxisScale: Equatable, Sendable {
  case linear
  /// By the logarithm. Only positive values can be shown.
  case logarithmic
}

/// One dimension of a plot: its limits, spacing and label.
public struct Axis: Equatable, Sendable {
  /// The label, with the unit if there is one; may be empty.
  public var label: String
  public let scale: AxisScale
  /// The range of values that the axis shows. It is finite, positive if logarithmic, and wide enough that ticks differ
  /// in double precision.
  public let limits: ClosedRange<Double>

  /// Values of larger magnitude count as infinite, so that no difference of two values overflows.
  private static let bound = 1e300

  /// Values farther away than this many axis lengths are not drawn. In sums with them, visible positions would be lost
  /// to rounding.
  private static let farthest = 1e9

  /// An axis with the given limits. Limits that are too narrow for ticks are widened.
  public init(label: String = "", limits: ClosedRange<Double>, scale: AxisScale = .linear) {
    self.label = label
    self.scale = scale
    self.limits = Axis.usable(limits, scale)
  }

  /// An axis that covers all `values` it can show. If it can show none, its limits are 0...1, or 1...10 if logarithmic.
  ///
  /// - Parameter padding: the free space on either side, as a fraction of the length of the range of values.
  public init(
    label: String = "", covering values: some Sequence<Double>, scale: AxisScale = .linear, padding: Double = 0.04
  ) {
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values where Axis.shows(value, scale) {
      low = min(low, value)
      high = max(high, value)
    }
    guard low <= high else {
      self.init(label: label, limits: scale == .linear ? 0...1 : 1...10, scale: scale)
      return
    }
    let range = Axis.usable(low...high, scale)
    switch scale {
    case .linear:
      let space = padding * (range.upperBound - range.lowerBound)
      self.init(label: label, limits: range.lowerBound - space...range.upperBound + space, scale: scale)
    case .logarithmic:
      let factor = exp(padding * (log(range.upperBound) - log(range.lowerBound)))
      self.init(label: label, limits: range.lowerBound / factor...range.upperBound * factor, scale: scale)
    }
  }

  private static func shows(_ value: Double, _ scale: AxisScale) -> Bool {
    abs(value) <= bound && (scale == .linear || value >= 1 / bound)
  }

  private static func usable(_ limits: ClosedRange<Double>, _ scale: AxisScale) -> ClosedRange<Double> {
    let least = scale == .linear ? -bound : 1 / bound
    let low = min(max(limits.lowerBound, least), bound)
    let high = min(max(limits.upperBound, least), bound)
    guard low <= high else { return scale == .linear ? 0...1 : 1...10 }  // NaN
    let size = max(abs(low), abs(high))
    // If the limits share thirteen digits, two are left for the ticks. A single value gets a range of a tenth of its
    // size on either side.
    if high - low > max(size * 1e-13, 1 / bound) { return low...high }
    if scale == .logarithmic { return max(low / 2, least)...min(high * 2, bound) }
    let half = size <= 1 / bound ? 1 : size * (high > low ? 1e-13 : 0.1)
    return max(low - half, -bound)...min(high + half, bound)
  }

  /// The position of `value` along the axis: 0 at the lower limit, 1 at the upper limit, outside 0...1 beyond them. It
  /// is nil if the axis cannot show the value.
  public func fraction(of value: Double) -> Double? {
    guard Axis.shows(value, scale) else { return nil }
    let fraction =
      switch scale {
      case .linear:
        (value - limits.lowerBound) / (limits.upperBound - limits.lowerBound)
      case .logarithmic:
        // A difference of logarithms, because the quotient of two values can overflow.
        (log(value) - log(limits.lowerBound)) / (log(limits.upperBound) - log(limits.lowerBound))
      }
    return abs(fraction) < Axis.farthest ? fraction : nil
  }
}
