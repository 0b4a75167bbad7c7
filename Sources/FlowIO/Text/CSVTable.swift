/// A table of numbers from a text file.
public struct CSVTable: Equatable, Sendable {
  /// The names of the columns, if the file begins with a line of names.
  public let header: [String]?
  /// The number of lines of numbers.
  public let rows: Int
  /// The number of cells in each line.
  public let columns: Int
  /// `[rows][columns]`, row by row; NaN and infinities if the file has them.
  public let values: [Double]

  /// Whether the first line names the columns.
  public enum HeaderRule: String, CaseIterable, Sendable {
    /// As `read` decides.
    case automatic = "auto"
    case present
    case absent
  }

  /// A first line of numbers, with its cells, that was taken as a header, or left as a sample though it looks like one.
  public enum HeaderDoubt: Equatable, Sendable {
    case taken([String])
    case left([String])
  }

  /// - Precondition: `values.count` is a multiple of `columns`; the header, if there is one, has `columns` names.
  public init(header: [String]? = nil, columns: Int, values: [Double]) {
    precondition(
      columns > 0 && values.count % columns == 0, "\(values.count) values do not fill rows of \(columns) columns")
    precondition(header == nil || header?.count == columns, "\(header?.count ?? 0) names for \(columns) columns")
    self.header = header
    self.rows = values.count / columns
    self.columns = columns
    self.values = values
  }

  /// Reads the table at `path`.
  ///
  /// The first line that is neither blank nor a comment (`#`) decides the separator: a semicolon if the line has one,
  /// else a tab, else a comma, else runs of spaces. That line is a header if none of its cells is a finite number and
  /// at least one cell is not a number. A first line of numbers is a header in three cases: they are in quotes and
  /// later numbers are not; they are whole and no later number is; an empty cell precedes them, above a column that
  /// counts the lines. Cells may be quoted. `nan`, `inf` and `infinity` are numbers. Lines end in LF or CRLF. Blank
  /// lines and a byte order mark are skipped.
  ///
  /// - Throws: `FlowIOError.missingFile`, `.system`, `.raggedRow`, `.notANumber`, `.emptyLineEnd`; `.malformed` for a
  ///   file without numbers, and for text in UTF-16.
  public static func read(_ path: String, header: HeaderRule = .automatic) throws(FlowIOError) -> CSVTable {
    try read(bytes: FileBytes.read(path), source: path, header: header)
  }

  /// Reads the table in the bytes of a file. Error messages call the file `source`.
  public static func read(
    bytes: [UInt8], source: String, header: HeaderRule = .automatic
  ) throws(FlowIOError) -> CSVTable {
    let parser = try parsed(bytes: bytes, source: source, header: header)
    return CSVTable(header: parser.header, columns: parser.columns, values: parser.values)
  }

  static func parsed(bytes: [UInt8], source: String, header: HeaderRule) throws(FlowIOError) -> CSVParser {
    // Of UTF-16, every ASCII character has a zero byte.
    guard !bytes.starts(with: [0xFF, 0xFE]), !bytes.starts(with: [0xFE, 0xFF]), !bytes.prefix(1024).contains(0) else {
      throw .malformed(
        path: source, problem: "the file is text in UTF-16, or no text", fix: "save it as text in UTF-8")
    }
    var parser = CSVParser(source: source, header: header)
    try parser.parse(bytes.span)
    guard !parser.values.isEmpty else {
      throw .malformed(
        path: source, problem: "the file has no numbers", fix: "write one sample per line, with commas between numbers")
    }
    return parser
  }

  /// Writes a comma-separated table. A file at `path` is replaced atomically (see `DurableFile`).
  ///
  /// Each number is the shortest decimal that reads back to the same value of its type.
  ///
  /// - Parameters:
  ///   - values: `[rows][columns]`, row by row.
  ///   - header: the names of the columns. Names with a quote, comma, semicolon or tab are quoted; line breaks become
  ///     spaces.
  /// - Precondition: `values.count` is a multiple of `columns`; the header, if there is one, has `columns` names.
  /// - Throws: `FlowIOError.system`.
  public static func write<Number: BinaryFloatingPoint & CustomStringConvertible>(
    _ values: [Number], columns: Int, header: [String]? = nil, to path: String
  ) throws(FlowIOError) {
    precondition(
      columns > 0 && values.count % columns == 0, "\(values.count) values do not fill rows of \(columns) columns")
    precondition(header == nil || header?.count == columns, "\(header?.count ?? 0) names for \(columns) columns")
    var bytes: [UInt8] = []
    if let header { bytes += (header.map(quoted).joined(separator: ",") + "\n").utf8 }
    for (index, value) in values.enumerated() {
      bytes += value.description.utf8
      bytes.append(UInt8(ascii: (index + 1) % columns == 0 ? "\n" : ","))
    }
    try DurableFile.write(path, bytes)
  }

  private static func quoted(_ name: String) -> String {
    // This works on bytes because "\r\n" is one Swift character. A name must not span lines, because the reader takes
    // each line as a row.
    let line = String(decoding: name.utf8.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }, as: UTF8.self)
    guard line.utf8.contains(where: { "\",;\t".utf8.contains($0) }) else { return line }
    return "\"" + line.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
