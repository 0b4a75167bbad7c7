import Testing

@testable import FlowPlots

@Suite struct TicksTests {
  static let ranges: [ClosedRange<Double>] = [
    0...1, -1...1, 0...0.3, -7 ... -2, 3...3.0001, 0...1e-12, -1e12...1e12, 1...1.000_000_000_001,
    -1_000_000_001 ... -1_000_000_000,
    99_999...100_003, 1e-300...1e-290, -1e300...1e300, 0...123_456_789, 0.1...0.7, 1e15...1_000_000_000_000_100,
  ]

  @Test(arguments: ranges, [2, 3, 5, 8, 9])
  func stepsAreOneTwoOrFiveTimesAPowerOfTen(range: ClosedRange<Double>, maximum: Int) throws {
    let limits = Axis(limits: range).limits
    let ticks = Ticks(limits: limits, maximum: maximum)
    #expect(ticks.values.count <= maximum)
    #expect(ticks.values.count == ticks.labels.count)
    if maximum >= 5 { #expect(ticks.values.count >= 2) }
    // A tick is a correctly rounded decimal. A step is a difference of two ticks, so it has two roundings of values of
    // the size of the limits.
    let size = max(abs(limits.lowerBound), abs(limits.upperBound))
    let slack = 4 * size.ulp
    for value in ticks.values {
      #expect(value >= limits.lowerBound - slack - 1e-9 * (limits.upperBound - limits.lowerBound))
      #expect(value <= limits.upperBound + slack + 1e-9 * (limits.upperBound - limits.lowerBound))
    }
    guard ticks.values.count > 1 else { return }
    let step = ticks.values[1] - ticks.values[0]
    for (one, next) in zip(ticks.values, ticks.values.dropFirst()) { #expect(abs(next - one - step) <= slack) }
    var mantissa = step
    while mantissa >= 9.5 { mantissa /= 10 }
    while mantissa < 0.95 { mantissa *= 10 }
    #expect([1, 2, 5].contains { abs(mantissa / $0 - 1) < 0.01 + slack / step }, "step \(step)")
    // The distance from the outermost ticks to the limits is at most a step.
    #expect(ticks.values[0] - limits.lowerBound <= step * 1.001 + slack)
    #expect(limits.upperBound - ticks.values[ticks.values.count - 1] <= step * 1.001 + slack)
  }

  @Test(arguments: ranges)
  func labelsAreShortDistinctAndNeverMinusZero(range: ClosedRange<Double>) {
    let ticks = Ticks(limits: Axis(limits: range).limits, maximum: 8)
    #expect(Set(ticks.labels).count == ticks.labels.count)
    for label in ticks.labels {
      #expect(label.count <= 8, "\(label)")
      let digits = label.filter { "123456789".contains($0) }
      #expect(!digits.isEmpty || label == "0", "\(label)")
    }
  }

  @Test func labelsSayWhatTheValuesAre() {
    let plain = Ticks(limits: -1...1, maximum: 5)
    #expect(plain.values == [-1, -0.5, 0, 0.5, 1])
    #expect(plain.labels == ["−1.0", "−0.5", "0", "0.5", "1.0"])
    #expect(plain.note == "")
    #expect(Ticks(limits: 0...20_000, maximum: 5).labels == ["0", "5000", "10000", "15000", "20000"])
    let small = Ticks(limits: 0...2e-12, maximum: 5)
    #expect(small.labels == ["0", "0.5", "1.0", "1.5", "2.0"])
    #expect(small.note == "×10⁻¹²")
    let close = Ticks(limits: 1 - 1e-9...1 + 1e-9, maximum: 5)
    #expect(close.labels == ["−1.0", "−0.5", "0", "0.5", "1.0"])
    #expect(close.note == "×10⁻⁹ + 1")
    let negative = Ticks(limits: -1_000_000_004 ... -1_000_000_000, maximum: 5)
    #expect(negative.labels == ["−4", "−3", "−2", "−1", "0"])
    #expect(negative.note == "− 10⁹")
  }

  @Test func logarithmicTicks() {
    let decades = Ticks(limits: 1e-6...1, scale: .logarithmic, maximum: 8)
    #expect(decades.values == [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1])
    #expect(decades.labels.first == "10⁻⁶")
    #expect(decades.minor.contains(0.5))
    let few = Ticks(limits: 0.09...12, scale: .logarithmic, maximum: 8)
    #expect(few.labels == ["0.1", "0.2", "0.5", "1", "2", "5", "10"])
    #expect(Ticks(limits: 2.1...4.9, scale: .logarithmic, maximum: 8).labels == ["2.5", "3.0", "3.5", "4.0", "4.5"])
    let wide = Ticks(limits: 1e-300...1e300, scale: .logarithmic, maximum: 5)
    #expect((2...5).contains(wide.values.count))
    #expect(wide.values.allSatisfy { $0.isFinite && $0 > 0 })
  }

  static let positiveRanges: [ClosedRange<Double>] = [
    1.05...9.9, 0.5...200, 3...3.1, 1e-9...1e9, 7...70, 1...1.000_000_001,
  ]

  @Test(arguments: positiveRanges, 2...9)
  func logarithmicTicksAreWithinTheirBounds(limits: ClosedRange<Double>, maximum: Int) {
    let (low, high) = (limits.lowerBound, limits.upperBound)
    let ticks = Ticks(limits: limits, scale: .logarithmic, maximum: maximum)
    #expect(ticks.values.count <= max(maximum, 3))
    #expect(ticks.values.allSatisfy { $0 >= low * (1 - 1e-8) && $0 <= high * (1 + 1e-8) })
    #expect(zip(ticks.values, ticks.values.dropFirst()).allSatisfy { $0 < $1 })
    if maximum >= 5 { #expect(ticks.values.count >= 2) }
  }

  @Test func decimalTexts() {
    #expect(DecimalText.plain(15, exponent: -1) == "1.5")
    #expect(DecimalText.plain(-5, exponent: -3) == "−0.005")
    #expect(DecimalText.plain(0, exponent: 4) == "0")
    #expect(DecimalText.compact(125, exponent: 10) == "1.25×10¹²")
    #expect(DecimalText.rounded(0.25, digits: 3) == "0.25")
    #expect(DecimalText.rounded(0.9999, digits: 3) == "1")
    #expect(DecimalText.rounded(-0.0, digits: 3) == "0")
    #expect(DecimalText.rounded(.nan, digits: 3) == "NaN")
    #expect(DecimalText.rounded(-2e-20, digits: 3) == "−2×10⁻²⁰")
  }
}
