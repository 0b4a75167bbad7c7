import CLibrary

/// Round places along an axis, with their labels.
///
/// On a linear axis neighbours differ by 1, 2 or 5 times a power of ten. The places are kept as whole multiples of that
/// power, so a label is the exact decimal of its tick. A logarithmic axis is ticked at powers of ten; below two decades at
/// 1, 2 and 5 times them, and below a factor of about five like a linear one.
public struct Ticks: Equatable, Sendable {
  /// Ascending, all within the limits they were made for.
  public let values: [Double]
  /// One for each value.
  public let labels: [String]
  /// What applies to every label, such as "×10⁶"; usually empty.
  public let note: String
  /// Unlabelled places between the values of a logarithmic axis.
  public let minor: [Double]

  private init(counts: [Int], exponent: Int) {
    values = counts.map { Ticks.value($0, exponent) }
    (labels, note) = DecimalText.labels(of: counts, exponent: exponent)
    minor = []
  }

  private init(values: [Double], labels: [String], minor: [Double]) {
    self.values = values
    self.labels = labels
    note = ""
    self.minor = minor
  }

  /// The double nearest to count·10^exponent for |exponent| ≤ 22: a power of ten up to there is exact.
  private static func value(_ count: Int, _ exponent: Int) -> Double {
    exponent < 0 ? Double(count) / pow(10, Double(-exponent)) : Double(count) * pow(10, Double(exponent))
  }

  /// Ticks for `limits`, as many as possible but at most `maximum` (at least 2). From a maximum of 5 on there are two or
  /// more.
  ///
  /// `limits` should come from `Axis`, whose limits are wide enough for their ticks to be told apart in double precision.
  public init(limits: ClosedRange<Double>, scale: AxisScale = .linear, maximum: Int) {
    precondition(maximum >= 2, "an axis needs room for two ticks, not \(maximum)")
    switch scale {
    case .linear: self = Ticks.linear(limits, maximum: maximum)
    case .logarithmic: self = Ticks.logarithmic(limits, maximum: maximum)
    }
  }

  private static func linear(_ limits: ClosedRange<Double>, maximum: Int) -> Ticks {
    let span = limits.upperBound - limits.lowerBound
    guard span > 0, span.isFinite else { return Ticks(counts: [], exponent: 0) }
    // Start one decade below the finest step that can do, and coarsen until the ticks fit.
    var exponent = Int(log10(span / Double(maximum)).rounded(.down)) - 1
    while true {
      for step in [1, 2, 5] {
        let unit = value(step, exponent)
        // A tick on the very limit must not be lost to the rounding of the quotient.
        let slack = 1e-9 * span / unit
        let first = (limits.lowerBound / unit - slack).rounded(.up)
        let last = (limits.upperBound / unit + slack).rounded(.down)
        if last - first < Double(maximum), max(abs(first), abs(last)) < 1e17 {
          guard first <= last else { return Ticks(counts: [], exponent: exponent) }
          return Ticks(counts: (Int(first)...Int(last)).map { $0 * step }, exponent: exponent)
        }
      }
      exponent += 1
    }
  }

  private static func logarithmic(_ limits: ClosedRange<Double>, maximum: Int) -> Ticks {
    guard limits.lowerBound > 0, limits.upperBound > limits.lowerBound, limits.upperBound.isFinite else {
      return Ticks(counts: [], exponent: 0)
    }
    let slack = 1e-9
    let low = Int((log10(limits.lowerBound) - slack).rounded(.up))
    let high = Int((log10(limits.upperBound) + slack).rounded(.down))
    let fine = (low - 1...max(high, low)).flatMap { power in [1, 2, 5].map { (count: $0, exponent: power) } }.filter {
      let value = value($0.count, $0.exponent)
      return value >= limits.lowerBound * (1 - slack) && value <= limits.upperBound * (1 + slack)
    }
    if (3...max(maximum, 3)).contains(fine.count) {
      return Ticks(
        values: fine.map { value($0.count, $0.exponent) },
        labels: fine.map { DecimalText.compact($0.count, exponent: $0.exponent) },
        minor: subdivisions(limits, low - 1, high))
    }
    guard high > low else { return linear(limits, maximum: maximum) }
    let every = (high - low) / maximum + 1
    // Multiples of the stride, where two are in sight, so that 10⁰ is among them.
    let multiples = (low...high).filter { $0 % every == 0 }
    let powers = multiples.count >= 2 ? multiples : Array(stride(from: low, through: high, by: every))
    let short = powers.allSatisfy { (-2...3).contains($0) }
    return Ticks(
      values: powers.map { value(1, $0) },
      labels: powers.map { short ? DecimalText.plain(1, exponent: $0) : DecimalText.powerOfTen($0) },
      minor: every == 1 ? subdivisions(limits, low - 1, high) : [])
  }

  /// 2, 3, … 9 times each power of ten, where they lie within the limits.
  private static func subdivisions(_ limits: ClosedRange<Double>, _ low: Int, _ high: Int) -> [Double] {
    (low...high).flatMap { power in (2...9).map { value($0, power) } }.filter { limits.contains($0) }
  }
}
