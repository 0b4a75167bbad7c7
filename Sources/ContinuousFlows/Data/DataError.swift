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
    }
  }
}
