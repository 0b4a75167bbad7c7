/// The first line of a table, and what decides whether it names the columns.
struct CSVFirstLine {
  let names: [String]
  let line: Int
  private let values: [Double?]
  /// Whether every cell with a number is in quotes.
  private let isQuoted: Bool
  /// Whether every cell with a number is a whole number without a point or an exponent.
  private let isWhole: Bool
  /// Whether a later line has a number without quotes.
  private var laterIsUnquoted = false
  /// Whether a later line has a whole number.
  private var laterIsWhole = false
  /// The number of cells of later lines.
  private var laterCount = 0

  init(_ cells: [Range<Int>], in text: Span<UInt8>, line: Int) {
    self.line = line
    names = cells.map { cell in
      let name = DecimalNumber.string(text, cell)
      return name.split(separator: "\"\"", omittingEmptySubsequences: false).joined(separator: "\"")
    }
    values = cells.map { DecimalNumber.parse(text, $0) }
    let numbers = cells.filter { !$0.isEmpty }
    isQuoted = numbers.allSatisfy { Self.isQuoted($0, in: text) }
    isWhole = numbers.allSatisfy { Self.isWhole($0, in: text) }
  }

  /// Whether the line has text that is not a number, and no finite number.
  ///
  /// A line with both is not a header: it more likely has a typing error, which the parser then reports.
  var isCertainHeader: Bool { values.contains { $0 == nil } && !values.contains { $0?.isFinite ?? false } }

  /// Whether every cell is a number.
  var isSample: Bool { !values.contains { $0 == nil } }

  /// Whether every cell is a finite number, except an empty first one (pandas writes no name above its row numbers).
  var mayBeHeader: Bool {
    let rest = isSample ? values[...] : values.dropFirst()
    return !rest.isEmpty && rest.allSatisfy { $0?.isFinite ?? false } && (isSample || names[0].isEmpty)
      && (isQuoted || isWhole)
  }

  /// Compares with a number of a later line.
  mutating func compare(with cell: Range<Int>, in text: Span<UInt8>) {
    laterCount += 1
    if !laterIsUnquoted { laterIsUnquoted = !Self.isQuoted(cell, in: text) }
    if !laterIsWhole { laterIsWhole = Self.isWhole(cell, in: text) }
  }

  /// So many cells have a fraction by chance only if nearly all numbers have one; then the first line had it, too.
  private static let leastFractions = 16

  /// Whether the line is a header of numbers, because later lines have other cells.
  ///
  /// - Parameter countsRows: whether the first column of the later lines is 0, 1, 2, ….
  func isHeader(countsRows: Bool) -> Bool {
    if !isSample { return countsRows }
    return isQuoted && laterIsUnquoted || isWhole && !laterIsWhole && laterCount >= Self.leastFractions
  }

  /// Whether the numbers are names that programs give columns, such as 0, 1, 2 or years: whole and one apart.
  var looksLikeNames: Bool {
    let numbers = values.compactMap { $0 }
    return isWhole && numbers.count == names.count && numbers.count > 1
      && zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 }
  }

  private static func isQuoted(_ cell: Range<Int>, in text: Span<UInt8>) -> Bool {
    // Spaces inside the quotes do not belong to the cell.
    var place = cell.lowerBound - 1
    while place >= 0, text[place] == 0x20 || text[place] == UInt8(ascii: "\t") { place -= 1 }
    return place >= 0 && text[place] == UInt8(ascii: "\"")
  }

  private static func isWhole(_ cell: Range<Int>, in text: Span<UInt8>) -> Bool {
    cell.allSatisfy { text[$0] &- UInt8(ascii: "0") < 10 || text[$0] == UInt8(ascii: "-") }
  }
}
