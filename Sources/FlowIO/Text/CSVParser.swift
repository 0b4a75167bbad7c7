/// The parser of `CSVTable`. It makes one pass over the bytes, line by line.
struct CSVParser {
  private(set) var header: [String]?
  private(set) var columns = 0
  private(set) var values: [Double] = []
  /// Of each row of `values`, from 1.
  private(set) var lines: [Int] = []

  private let source: String
  private let rule: CSVTable.HeaderRule
  /// The first line, while it may be a header of numbers.
  private var first: CSVFirstLine?
  /// The separator that the first line decides; nil before that. A space stands for runs of spaces and tabs.
  private var separator: UInt8?
  private var line = 0

  init(source: String, header rule: CSVTable.HeaderRule) {
    self.source = source
    self.rule = rule
  }

  /// A first line of numbers that was taken as a header, or as a sample though it looks like a header.
  var headerDoubt: CSVTable.HeaderDoubt? {
    guard rule == .automatic, let first else { return nil }
    if header != nil { return .taken(first.names) }
    return first.looksLikeNames ? .left(first.names) : nil
  }

  mutating func parse(_ text: Span<UInt8>) throws(FlowIOError) {
    let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let hasMark = text.count >= 3 && byteOrderMark.indices.allSatisfy { text[$0] == byteOrderMark[$0] }
    var start = hasMark ? 3 : 0
    while start < text.count {
      var end = start
      while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
      line += 1
      let content = start..<(end > start && text[end - 1] == UInt8(ascii: "\r") ? end - 1 : end)
      let words = Self.trimmed(text, content)
      if !words.isEmpty, text[words.lowerBound] != UInt8(ascii: "#") { try parseLine(text, content) }
      start = end + 1
    }
    try finishHeader()
  }

  /// Decides about a first line of numbers, once all lines are known.
  private mutating func finishHeader() throws(FlowIOError) {
    guard rule == .automatic, let first, header == nil else { return }
    let rows = Array(values.dropFirst(first.isSample ? columns : 0))
    let counts =
      columns > 0 && stride(from: 0, to: rows.count, by: columns).allSatisfy { rows[$0] == Double($0 / columns) }
    if first.isHeader(countsRows: counts) {
      header = first.names
      if first.isSample { (values, lines) = (rows, Array(lines.dropFirst())) }
    } else if !first.isSample {
      throw .notANumber(path: source, line: first.line, column: 1, text: "", isFirstLine: true)
    }
  }

  private mutating func parseLine(_ text: Span<UInt8>, _ content: Range<Int>) throws(FlowIOError) {
    guard let separator else {
      let separator = Self.separator(of: text, content)
      self.separator = separator
      let first = CSVFirstLine(cells(of: text, content, separator), in: text, line: line)
      if rule == .present || rule == .automatic && first.isCertainHeader {
        header = first.names
        columns = first.names.count
        return
      }
      if rule == .automatic, first.mayBeHeader { self.first = first }
      guard self.first?.isSample ?? true else {
        columns = first.names.count
        return
      }
      return try parseLine(text, content)
    }
    var position: Int? = content.lowerBound
    var found = 0
    while let cell = Self.nextCell(of: text, &position, content.upperBound, separator) {
      found += 1
      guard let value = DecimalNumber.parse(text, cell) else { throw refusal(text, cell, found, &position, content) }
      values.append(value)
      if let first, line > first.line { self.first?.compare(with: cell, in: text) }
    }
    lines.append(line)
    if columns == 0 { columns = found }
    guard found == columns else {
      throw .raggedRow(path: source, line: line, found: found, expected: columns)
    }
  }

  /// The error of a cell that is not a number, number `column` of its line.
  private func refusal(
    _ text: Span<UInt8>, _ cell: Range<Int>, _ column: Int, _ position: inout Int?, _ content: Range<Int>
  ) -> FlowIOError {
    let isFirstLine = lines.isEmpty && header == nil
    func notANumber(_ text: String) -> FlowIOError {
      .notANumber(path: source, line: line, column: column, text: text, isFirstLine: isFirstLine)
    }
    guard cell.isEmpty, column > 1, let separator, separator != UInt8(ascii: " ") else {
      return notANumber(String(DecimalNumber.string(text, cell).prefix(40)))
    }
    while let next = Self.nextCell(of: text, &position, content.upperBound, separator) {
      guard next.isEmpty else { return notANumber("") }
    }
    return .emptyLineEnd(
      path: source, line: line, column: column, separator: String(UnicodeScalar(separator)))
  }

  private func cells(of text: Span<UInt8>, _ content: Range<Int>, _ separator: UInt8) -> [Range<Int>] {
    var cells: [Range<Int>] = []
    var position: Int? = content.lowerBound
    while let cell = Self.nextCell(of: text, &position, content.upperBound, separator) { cells.append(cell) }
    return cells
  }

  private static func separator(of text: Span<UInt8>, _ content: Range<Int>) -> UInt8 {
    for candidate in ";\t,".utf8 {
      for index in trimmed(text, content) where text[index] == candidate { return candidate }
    }
    return UInt8(ascii: " ")
  }

  /// The range of the next cell, without the spaces and quotes around it.
  ///
  /// `position` moves to the character after the separator, and becomes nil after the last cell. A separator at the end
  /// of a line is followed by one more cell, which is empty.
  @inline(__always)
  private static func nextCell(
    of text: Span<UInt8>, _ position: inout Int?, _ end: Int, _ separator: UInt8
  ) -> Range<Int>? {
    guard var start = position else { return nil }
    while start < end, isSpace(text[start]), text[start] != separator || separator == 0x20 { start += 1 }
    if separator == 0x20, start == end {
      position = nil
      return nil
    }
    var stop = start
    if start < end, text[start] == UInt8(ascii: "\"") {
      // A doubled quote inside quotes closes and opens them again, so it needs no case of its own.
      var isQuoted = false
      while stop < end, isQuoted || !isSeparator(text[stop], separator) {
        if text[stop] == UInt8(ascii: "\"") { isQuoted.toggle() }
        stop += 1
      }
    } else {
      while stop < end, !isSeparator(text[stop], separator) { stop += 1 }
    }
    position = stop < end ? stop + 1 : nil
    while stop > start, isSpace(text[stop - 1]) { stop -= 1 }
    if stop - start >= 2, text[start] == UInt8(ascii: "\""), text[stop - 1] == UInt8(ascii: "\"") {
      return trimmed(text, start + 1..<stop - 1)
    }
    return start..<stop
  }

  @inline(__always)
  private static func isSeparator(_ byte: UInt8, _ separator: UInt8) -> Bool {
    byte == separator || separator == 0x20 && byte == UInt8(ascii: "\t")
  }

  @inline(__always)
  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == UInt8(ascii: "\t")
  }

  private static func trimmed(_ text: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, isSpace(text[start]) { start += 1 }
    while end > start, isSpace(text[end - 1]) { end -= 1 }
    return start..<end
  }
}
