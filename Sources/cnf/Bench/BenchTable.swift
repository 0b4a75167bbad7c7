import FlowIO

/// One part of a benchmark's result: a table for people, records for programs.
struct BenchTable {
  let title: String
  var table: TextTable
  /// What the columns mean, where their headings do not say it.
  let notes: [String]
  var records: [JSONValue] = []

  init(title: String, columns: [TextTable.Column], notes: [String] = []) {
    self.title = title
    self.table = TextTable(columns)
    self.notes = notes
  }

  func print() throws {
    try Terminal.result("\n\(title)")
    for line in table.lines { try Terminal.result("  \(line)") }
    for note in notes { try Terminal.result("  \(note)") }
  }
}
