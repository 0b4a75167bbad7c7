import CLibrary

/// The ticks of an axis: round numbers with their labels.
///
/// On a linear axis, neighbouring ticks differ by 1, 2 or 5 times a power of ten. Ticks are stored as integer multiples
/// of that power, so a label is the exact decimal of its tick. A logarithmic axis has ticks at powers of ten. If it
/// spans less than two decades, they are at 1, 2 and 5 times powers of ten. If it spans less than a factor of about
/// five, they are those of a linear axis.
public struct Ticks: Equatable, Sendable {
  /// The ticks in ascending order, all within the limits.
  public let values: [Double]
  /// The label of each tick.
  public let labels: [String]
  /// A factor or an offset that applies to every label, such as "×10⁶"; usually empty.
  public let note: String
  /// The ticks without labels of a logarithmic axis, between `values`.
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

  /// count·10^exponent. For |exponent| ≤ 22 it is the nearest double, because powers of ten up to there are exact.
  private static func value(_ count: Int, _ exponent: Int) -> Double {
    exponent < 0 ? Double(count) / pow(10, Double(-exponent)) : Double(count) * pow(10, Double(exponent))
  }

  /// As many ticks within `limits` as possible, but at most `maximum`. With a maximum of 5 or more there are at least
  /// two.
  ///
  /// - Parameters:
  ///   - limits: those of an `Axis`, which are wide enough that ticks differ in double precision.
  ///   - maximum: at least 2.
  public init(limits: ClosedRange<Double>, scale: AxisScale = .linear, maximum: Int) {
    precondition(maximum >= 2, "the maximum number of ticks is \(maximum), must be at least 2")
    switch scale {
    case .linear: self = Ticks.linear(limits, maximum: maximum)
    case .logarithmic: self = Ticks.logarithmic(limits, maximum: maximum)
    }
  }

  private static func linear(_ limits: ClosedRange<Double>, maximum: Int) -> Ticks {
    let span = limits.upperBound - limits.lowerBound
    guard span > 0, span.isFinite else { return Ticks(counts: [], exponent: 0) }
    // The search starts one decade below the finest possible step, and coarsens the step until the ticks fit.
    var exponent = Int(log10(span / Double(maximum)).rounded(.down)) - 1
    while true {
      for step in [1, 2, 5] {
        let unit = value(step, exponent)
        // The slack keeps a tick that is exactly at a limit when the quotient is rounded.
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
    // Exponents are multiples of the stride if two of these are visible, so that 10⁰ is among them.
    let multiples = (low...high).filter { $0 % every == 0 }
    let powers = multiples.count >= 2 ? multiples : Array(stride(from: low, through: high, by: every))
    let short = powers.allSatisfy { (-2...3).contains($0) }
    return Ticks(
      values: powers.map { value(1, $0) },
      labels: powers.map { short ? DecimalText.plain(1, exponent: $0) : DecimalText.powerOfTen($0) },
      minor: every == 1 ? subdivisions(limits, low - 1, high) : [])
  }

  /// 2, 3, … 9 times each power of ten, within the limits.
  private static func subdivisions(_ limits: ClosedRange<Double>, _ low: Int, _ high: Int) -> [Double] {
    (low...high).flatMap { power in (2...9).map { value($0, power) } }.filter { limits.contains($0) }
  }
}
