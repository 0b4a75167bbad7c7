import FlowIO

/// A file for a command to write, in the format of its extension.
struct ResultFile {
  private enum Kind: String, CaseIterable {
    case npy
    case csv
  }

  let path: String
  private let kind: Kind

  /// Checks the extension, before anything is computed.
  init(path: String) throws {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), let kind = Kind(rawValue: name[name.index(after: dot)...].lowercased())
    else { throw FlowIOError.unknownExtension(path: path, accepted: Kind.allCases.map { ".\($0.rawValue)" }) }
    self.path = path
    self.kind = kind
  }

  /// Whether it can hold only rows and columns.
  var isTable: Bool { kind == .csv }

  /// Writes float64 of any shape.
  func write(_ values: [Double], shape: [Int]) throws {
    precondition(!isTable, "a table of shape \(shape)")
    try NumPyFile.write(NumPyArray(shape: shape, doubles: values), to: path)
  }

  /// Writes rows: float64 `[count][columns]`.
  func write(_ values: [Double], count: Int, columns: Int) throws {
    switch kind {
    case .npy: try NumPyFile.write(NumPyArray(shape: [count, columns], doubles: values), to: path)
    case .csv: try CSVTable.write(values, columns: columns, to: path)
    }
  }

  /// Writes a column: float64 `[count]`.
  func write(column values: [Double]) throws {
    switch kind {
    case .npy: try NumPyFile.write(NumPyArray(shape: [values.count], doubles: values), to: path)
    case .csv: try CSVTable.write(values, columns: 1, to: path)
    }
  }
}
