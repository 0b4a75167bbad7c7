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

  /// - Precondition: `values` fill whole rows; the header, if any, has a name for each column.
  public init(header: [String]? = nil, columns: Int, values: [Double]) {
    precondition(columns > 0 && values.count % columns == 0, "\(values.count) values in rows of \(columns)")
    precondition(header == nil || header?.count == columns, "\(header?.count ?? 0) names for \(columns) columns")
    self.header = header
    self.rows = values.count / columns
    self.columns = columns
    self.values = values
  }

  /// Reads the table at `path`.
  ///
  /// The first line that is neither blank nor a comment (`#`) tells the separator: a semicolon if it has one, else a
  /// tab, else a comma, else runs of spaces. It is a header if none of its cells is a finite number and one is no number
  /// at all. Cells may be quoted; `nan`, `inf` and `infinity` are numbers; lines end in LF or CRLF; blank lines are
  /// skipped, and so is a byte order mark.
  ///
  /// - Throws: `FlowIOError.missingFile`, `.system`, `.raggedRow`, `.notANumber`, and `.malformed` for a file without
  ///   numbers.
  public static func read(_ path: String) throws(FlowIOError) -> CSVTable {
    try read(bytes: FileBytes.read(path), source: path)
  }

  /// Reads the bytes of a file; `source` is what messages call it.
  public static func read(bytes: [UInt8], source: String) throws(FlowIOError) -> CSVTable {
    var parser = CSVParser(source: source)
    try parser.parse(bytes.span)
    guard !parser.values.isEmpty else {
      throw .malformed(
        path: source, problem: "there are no numbers in it", mend: "give it one sample a line, separated by commas")
    }
    return CSVTable(header: parser.header, columns: parser.columns, values: parser.values)
  }

  /// Replaces the file at `path`, durably (see `DurableFile`), by a comma-separated table.
  ///
  /// Numbers are the shortest decimals that read back to the same value of their type.
  ///
  /// - Parameters:
  ///   - values: `[rows][columns]`, row by row.
  ///   - header: names for the columns; quoted where they have to be.
  /// - Precondition: `values` fill whole rows; the header, if any, has a name for each column.
  public static func write<Number: BinaryFloatingPoint & CustomStringConvertible>(
    _ values: [Number], columns: Int, header: [String]? = nil, to path: String
  ) throws(FlowIOError) {
    precondition(columns > 0 && values.count % columns == 0, "\(values.count) values in rows of \(columns)")
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
    // Bytes, since "\r\n" is a single character. A name may not span lines: the reader counts lines.
    let line = String(decoding: name.utf8.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }, as: UTF8.self)
    guard line.utf8.contains(where: { "\",;\t".utf8.contains($0) }) else { return line }
    return "\"" + line.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
