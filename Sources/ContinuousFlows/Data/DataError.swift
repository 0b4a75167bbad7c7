/// What can be wrong with data that a user brings. Each message names the thing and the mend.
public enum DataError: Error, Equatable, Sendable {
  case unknownName(String, known: [String])
  case empty(source: String)
  /// Row and column count from 0; the message counts from 1.
  case notFinite(source: String, row: Int, column: Int, value: String)
  case tooFewRows(source: String, count: Int, needed: Int)
  /// Data and model disagree on D.
  case dimension(source: String, dimension: Int, expected: Int)
  case resource(String)
  /// Of a set that a flow is to be conditioned on the classes of.
  case noLabels(source: String)
  /// A label beyond the classes that there are; the row counts from 0, the message from 1.
  case label(source: String, row: Int, label: Int, classes: Int)
  /// All columns are context.
  case noColumnsLeft(source: String, dimension: Int, contextColumns: Int)
}

extension DataError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownName(let name, let known):
      "there is no data set named '\(name)': \(Suggestion.sentence(for: name, among: known)) "
        + "(a file is named with its extension, .npy or .csv)"
    case .empty(let source):
      "\(source) has no rows: a data file needs one row per sample"
    case .notFinite(let source, let row, let column, let value):
      "\(source) holds \(value.contains("inf") ? "infinity, or a number beyond 3.4e38," : value) in row \(row + 1), column \(column + 1): remove that row or fill in a finite number"
    case .tooFewRows(let source, let count, let needed):
      "\(source) has \(count) rows, and the split into train, validation and test needs at least \(needed): bring more rows"
    case .dimension(let source, let dimension, let expected):
      "\(source) has \(dimension) columns, but the model was trained on \(expected): bring data with \(expected) columns"
    case .resource(let name):
      "\(name), which ships with the project, is missing or damaged beside the program: build or install it again"
    case .noLabels(let source):
      "\(source) has no labels to condition on: take the digits, or columns of a file as context"
    case .label(let source, let row, let label, let classes):
      "\(source) has the label \(label) in row \(row + 1), but classes are 0 to \(classes - 1): mend the label"
    case .noColumnsLeft(let source, let dimension, let contextColumns):
      "\(source) has \(dimension) columns, which leaves none beside \(contextColumns) of context: condition on fewer"
    }
  }
}
