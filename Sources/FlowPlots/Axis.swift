import CLibrary

/// How an axis spaces its values.
public enum AxisScale: Equatable, Sendable {
  case linear
  /// By the logarithm; only positive values have a place.
  case logarithmic
}

/// One dimension of a plot: its limits, spacing and label.
public struct Axis: Equatable, Sendable {
  /// The label, with the unit if there is one; may be empty.
  public var label: String
  public let scale: AxisScale
  /// What the axis shows: finite, positive if logarithmic, and wide enough that ticks differ in double precision.
  public let limits: ClosedRange<Double>

  /// Larger magnitudes are treated as infinite, so that no difference of two values overflows.
  private static let bound = 1e300

  /// Values more axis lengths away than this have no place: sums with places in sight would lose those.
  private static let farthest = 1e9

  /// An axis with the given limits, widened where they are too narrow to be ticked.
  public init(label: String = "", limits: ClosedRange<Double>, scale: AxisScale = .linear) {
    self.label = label
    self.scale = scale
    self.limits = Axis.usable(limits, scale)
  }

  /// An axis that covers every value it can show, with `padding` of the length to spare on either side; 0...1 (1...10 if
  /// logarithmic) when there is none.
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
    let bare = Axis.usable(low...high, scale)
    switch scale {
    case .linear:
      let spare = padding * (bare.upperBound - bare.lowerBound)
      self.init(label: label, limits: bare.lowerBound - spare...bare.upperBound + spare, scale: scale)
    case .logarithmic:
      let factor = exp(padding * (log(bare.upperBound) - log(bare.lowerBound)))
      self.init(label: label, limits: bare.lowerBound / factor...bare.upperBound * factor, scale: scale)
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
    // Thirteen digits in common leave two for the ticks. Equal values are shown amid a tenth of their size.
    if high - low > max(size * 1e-13, 1 / bound) { return low...high }
    if scale == .logarithmic { return max(low / 2, least)...min(high * 2, bound) }
    let half = size <= 1 / bound ? 1 : size * (high > low ? 1e-13 : 0.1)
    return max(low - half, -bound)...min(high + half, bound)
  }

  /// Where `value` lies between the limits: 0 at the lower, 1 at the upper, beyond 0...1 outside; nil if it has no place.
  public func fraction(of value: Double) -> Double? {
    guard Axis.shows(value, scale) else { return nil }
    let fraction =
      switch scale {
      case .linear:
        (value - limits.lowerBound) / (limits.upperBound - limits.lowerBound)
      case .logarithmic:
        // A difference of logarithms, as the quotient of two values can overflow.
        (log(value) - log(limits.lowerBound)) / (log(limits.upperBound) - log(limits.lowerBound))
      }
    return abs(fraction) < Axis.farthest ? fraction : nil
  }
}
