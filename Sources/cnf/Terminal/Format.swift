/// Numbers for people, without a locale: a decimal point and no grouping.
enum Format {
  /// `digits` decimals, rounded; "nan" and "inf" for values that are not finite.
  static func decimal(_ value: Double, digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    let sign = value < 0 && scaled > 0 ? "-" : ""
    let whole = (scaled / scale).rounded(.towardZero)
    guard digits > 0 else { return "\(sign)\(Int(whole))" }
    let rest = String(Int(scaled - whole * scale))
    return "\(sign)\(Int(whole)).\(String(repeating: "0", count: max(0, digits - rest.count)))\(rest)"
  }

  /// "3.1e-09": two digits, and a power of ten with two or three digits.
  static func scientific(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return decimal(value, digits: 0) }
    var exponent = 0
    var mantissa = abs(value)
    while mantissa >= 9.95 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 0.995 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    let digits = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
    return "\(value < 0 ? "-" : "")\(decimal(mantissa, digits: 1))e\(exponent < 0 ? "-" : "+")\(digits)"
  }

  /// "42 %".
  static func percent(_ fraction: Double) -> String { "\(Int((100 * fraction).rounded(.down))) %" }

  /// "38 s", "2:05 min" or "1:02:03 h".
  static func duration(_ seconds: Double) -> String {
    let total = Int(max(0, seconds))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if total < 60 { return "\(total) s" }
    if total < 3600 { return "\(total / 60):\(two(total % 60)) min" }
    return "\(total / 3600):\(two(total / 60 % 60)):\(two(total % 60)) h"
  }

  /// "38 MB", "2.5 GB".
  static func memory(_ bytes: Int) -> String {
    let megabytes = Double(bytes) / 1e6
    return megabytes < 1000 ? "\(decimal(megabytes, digits: 0)) MB" : "\(decimal(megabytes / 1000, digits: 1)) GB"
  }

  /// `text` with spaces appended up to `width`.
  static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// `text` with spaces in front up to `width`.
  static func aligned(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
