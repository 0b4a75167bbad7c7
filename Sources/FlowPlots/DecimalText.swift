import CLibrary

/// Exact text for numbers n·10^e with an integer n. It never formats a floating-point number, so "-0" cannot occur.
enum DecimalText {
  /// `count`·10^`exponent` without an exponent, with -`exponent` decimals: (15, -1) is "1.5", (-20, -1) is "−2.0".
  static func plain(_ count: Int, exponent: Int) -> String {
    var digits = String(count.magnitude)
    if exponent >= 0 {
      if count != 0 { digits += String(repeating: "0", count: exponent) }
    } else {
      let missing = -exponent + 1 - digits.count
      if missing > 0 { digits = String(repeating: "0", count: missing) + digits }
      digits.insert(".", at: digits.index(digits.endIndex, offsetBy: exponent))
    }
    return count < 0 ? "−" + digits : digits
  }

  /// "10⁻³" for -3.
  static func powerOfTen(_ exponent: Int) -> String {
    let raised = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return "10" + (exponent < 0 ? "⁻" : "") + String(String(exponent.magnitude).map { raised[$0.wholeNumberValue!] })
  }

  /// `count`·10^`exponent` in the shortest usual form: without an exponent if that is short, otherwise like
  /// "1.25×10¹²".
  static func compact(_ count: Int, exponent: Int) -> String {
    guard count != 0 else { return "0" }
    var (count, exponent) = (count, exponent)
    while count % 10 == 0 { (count, exponent) = (count / 10, exponent + 1) }
    let magnitude = String(count.magnitude).count - 1 + exponent
    if (-4..<6).contains(magnitude) { return plain(count, exponent: exponent) }
    let factor = plain(count, exponent: exponent - magnitude)
    return (factor == "1" ? "" : factor + "×") + powerOfTen(magnitude)
  }

  /// Labels for `counts` (in units of 10^`exponent`), and the note that belongs to them. The note is empty, or it says
  /// how to multiply every label and what to add, as in "×10⁻⁶ + 1".
  ///
  /// Labels have at most six digits. If the numbers are far from 1, a power of ten moves to the note. If they are close
  /// together and far from 0, the digits that all of them share move to the note.
  static func labels(of counts: [Int], exponent: Int) -> (labels: [String], note: String) {
    guard let largest = counts.map(\.magnitude).max(), largest > 0 else {
      return (counts.map { _ in "0" }, "")
    }
    if counts.allSatisfy({ $0 % 10 == 0 }) { return labels(of: counts.map { $0 / 10 }, exponent: exponent + 1) }
    let digits = String(largest).count
    if digits > 6, let low = counts.map(\.magnitude).min(), counts.count > 1, (counts.min()! < 0) == (counts.max()! < 0)
    {
      // A number slightly below the labels may be subtracted instead if it is rounder.
      let (low, high) = (Int(low), Int(largest))
      let margin = 9 * (high - low)
      if low > margin {
        let shared = roundest(from: low - margin, to: high)
        let sign = counts[0] < 0 ? -1 : 1
        let (labels, note) = labels(of: counts.map { $0 - sign * shared }, exponent: exponent)
        let offset = (sign < 0 ? "− " : "+ ") + compact(shared, exponent: exponent)
        return (labels, note.isEmpty ? offset : "\(note) \(offset)")
      }
    }
    let magnitude = digits - 1 + exponent
    if (-3..<6).contains(magnitude) {
      return (counts.map { $0 == 0 ? "0" : plain($0, exponent: exponent) }, "")
    }
    // All labels have the decimal point after the first digit of the largest.
    return (counts.map { $0 == 0 ? "0" : plain($0, exponent: 1 - digits) }, "×" + powerOfTen(magnitude))
  }

  /// The number with the most trailing zeros between two positive bounds; the largest if there are several.
  private static func roundest(from low: Int, to high: Int) -> Int {
    var (best, unit) = (high, 1)
    while unit <= high / 10 {
      unit *= 10
      let multiple = high / unit * unit
      if multiple < low { break }
      best = multiple
    }
    return best
  }
}

extension DecimalText {
  /// `value` rounded to `digits` significant digits, in the shortest usual form; or "NaN", "∞" or "−∞".
  static func rounded(_ value: Double, digits: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "−∞" : "∞" }
    guard abs(value) > 1e-300 else { return "0" }
    let exponent = Int(log10(abs(value)).rounded(.down)) - digits + 1
    let count = exponent < 0 ? value * pow(10, Double(-exponent)) : value / pow(10, Double(exponent))
    return compact(Int(count.rounded()), exponent: exponent)
  }
}
