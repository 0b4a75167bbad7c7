/// What can be wrong with a user's data. Each message names the place and the fix.
public enum DataError: Error, Equatable, Sendable {
  case unknownName(String, known: [String])
  case empty(source: String)
  /// Row and column count from 0; the message counts from 1. `line` is the row's line in a text file, from 1.
  case notFinite(source: String, row: Int, column: Int, value: String, line: Int? = nil)
  case tooFewRows(source: String, count: Int, needed: Int)
  /// Data and model disagree on D.
  case dimension(source: String, dimension: Int, expected: Int)
  case resource(String)
  /// The data have no labels, and a classifier, or a flow conditioned on classes, needs one for each sample.
  case noLabels(source: String)
  /// A label is not one of the model's classes. Classes count from 0; the row counts from 0, in the message from 1.
  case labelOutOfRange(source: String, row: Int, label: Int, classes: Int)
  /// A column of labels holds a value that is not a whole number from 0 to 255.
  case notALabel(source: String, row: Int, value: String)
  /// The data have no targets, and a regression needs them.
  case noTargets(source: String)
  /// Data and model disagree on the targets' columns.
  case targetColumns(source: String, columns: Int, expected: Int)
  /// The data do not have that many columns to use as targets or context.
  case noColumnsLeft(source: String, columns: Int, taken: Int)
}

extension DataError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownName(let name, let known):
      "there is no data set named '\(name)': \(Suggestion.sentence(for: name, among: known)) "
        + "(a file is named with its extension, .npy or .csv)"
    case .empty(let source):
      "\(source) has no rows: a data file needs one row per sample"
    case .notFinite(let source, let row, let column, let value, let line):
      "\(source) holds \(value == "nan" ? value : "\(value), which is infinite or beyond 3.4e38,") in "
        + "\(line.map { "line \($0)" } ?? "row \(row + 1)"), column \(column + 1): remove that "
        + "\(line == nil ? "row" : "line") or fill in a finite number"
    case .tooFewRows(let source, let count, let needed):
      "\(source) has \(count) rows, and the split into train, validation and test needs at least \(needed): bring more rows"
    case .dimension(let source, let dimension, let expected):
      "\(source) has \(dimension) columns, but the model was trained on \(expected): bring data with \(expected) columns"
    case .noLabels(let source):
      "\(source) has no labels: a class for each sample is in digits and concentric, and for a classifier in the last column "
        + "of a file, said by --targets 1"
    case .labelOutOfRange(let source, let row, let label, let classes):
      "\(source) has class \(label) in row \(row + 1), but the model knows the classes 0 to \(classes - 1): "
        + "remove that row, or train a model of more classes"
    case .notALabel(let source, let row, let value):
      "\(source) holds \(value) as the class of row \(row + 1): write a whole number from 0 to 255 there"
    case .noTargets(let source):
      "\(source) has no targets: a regression needs a file whose last K columns hold them, said by --targets K"
    case .targetColumns(let source, let columns, let expected):
      "\(source) has \(columns) target columns, but the model gives \(expected): bring data with \(expected)"
    case .noColumnsLeft(let source, let columns, let taken):
      "\(source) has \(columns) columns, of which \(taken) cannot be targets or context: take from 1 to \(columns - 1), so that "
        + "a column is left"
    case .resource(let name):
      "\(name), which ships with the project, is missing or damaged in the program's folder: build or install it again"
    }
  }
}
