/// Rows of text in aligned columns: words to the left, numbers to the right.
struct TextTable {
  /// A column's heading and alignment.
  struct Column {
    let heading: String
    let isNumeric: Bool

    static func words(_ heading: String) -> Column { Column(heading: heading, isNumeric: false) }
    static func numbers(_ heading: String) -> Column { Column(heading: heading, isNumeric: true) }
  }

  let columns: [Column]
  private(set) var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  /// Appends a row with one text for each column.
  mutating func append(_ row: [String]) {
    precondition(row.count == columns.count, "\(row.count) texts for a table of \(columns.count) columns")
    rows.append(row)
  }

  /// The headings and the rows, without spaces at their ends.
  var lines: [String] {
    let all = [columns.map(\.heading)] + rows
    let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      let cells = columns.indices.map { column in
        columns[column].isNumeric
          ? Format.aligned(row[column], to: widths[column]) : Format.padded(row[column], to: widths[column])
      }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
