/// Correctly rounded conversion of decimal text to doubles.
///
/// Most numbers have at most 15 or 16 digits and need one multiplication or division. A mantissa of at most 2⁵³ and a
/// power of ten up to 10²² are exact as doubles, so their product or quotient is rounded only once (W. D. Clinger, "How
/// to read floating point numbers accurately", 1990). The standard library converts the other numbers.
enum DecimalNumber {
  private static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]
  /// The largest number of decimal digits that always fits into 64 bits.
  private static let digitLimit = 19

  /// The value of the number in `text[range]`, or nil if the range is not exactly one number.
  ///
  /// A number is an optional sign, digits with at most one point and an optional exponent, or one of `nan`, `inf` and
  /// `infinity` in upper or lower case after an optional sign.
  static func parse(_ text: Span<UInt8>, _ range: Range<Int>) -> Double? {
    var index = range.lowerBound
    let end = range.upperBound
    var isNegative = false
    if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
      isNegative = text[index] == UInt8(ascii: "-")
      index += 1
    }
    let unsigned = index..<end

    var mantissa: UInt64 = 0
    var significant = 0
    var exponent = 0
    var digits = 0
    var hasPoint = false
    while index < end {
      let digit = text[index] &- UInt8(ascii: "0")
      if digit < 10 {
        digits += 1
        if significant < digitLimit {
          mantissa = mantissa &* 10 &+ UInt64(digit)
          if mantissa > 0 { significant += 1 }
          if hasPoint { exponent -= 1 }
        } else {
          // The count tells the code below that the mantissa lacks digits.
          significant += 1
          if !hasPoint { exponent += 1 }
        }
      } else if text[index] == UInt8(ascii: "."), !hasPoint {
        hasPoint = true
      } else {
        break
      }
      index += 1
    }
    guard digits > 0 else { return word(text, unsigned).map { isNegative ? -$0 : $0 } }
    if index < end {
      guard let written = writtenExponent(text, index..<end) else { return nil }
      exponent += written
    }

    let magnitude: Double
    if significant <= digitLimit, mantissa <= 1 << 53, abs(exponent) < powers.count {
      let power = powers[abs(exponent)]
      magnitude = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
    } else {
      guard let exact = Double(string(text, unsigned)) else { return nil }
      magnitude = exact
    }
    return isNegative ? -magnitude : magnitude
  }

  /// `text[range]` as a string. Bytes that are not UTF-8 become replacement characters.
  static func string(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    for index in range { bytes.append(text[index]) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The value of an exponent such as `e-05`, or nil if the range is not exactly an exponent. It is limited to a
  /// million: the number is 0 or infinite beyond that.
  private static func writtenExponent(_ text: Span<UInt8>, _ range: Range<Int>) -> Int? {
    var index = range.lowerBound
    guard text[index] | 0x20 == UInt8(ascii: "e") else { return nil }
    index += 1
    var isNegative = false
    if index < range.upperBound, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
      isNegative = text[index] == UInt8(ascii: "-")
      index += 1
    }
    guard index < range.upperBound else { return nil }
    var exponent = 0
    while index < range.upperBound {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      exponent = min(exponent * 10 + Int(digit), 1_000_000)
      index += 1
    }
    return isNegative ? -exponent : exponent
  }

  private static func word(_ text: Span<UInt8>, _ range: Range<Int>) -> Double? {
    guard (3...8).contains(range.count) else { return nil }
    switch string(text, range).lowercased() {
    case "nan": return .nan
    case "inf", "infinity": return .infinity
    default: return nil
    }
  }
}
