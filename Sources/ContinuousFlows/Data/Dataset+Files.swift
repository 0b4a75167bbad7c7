import FieldPrograms
public import FlowIO

extension Dataset {
  /// Reads samples from a .npy or .csv file, one per row; the path becomes the name.
  ///
  /// - Parameter header: whether the first line of a text file names the columns.
  /// - Throws: `FlowIOError` for a missing or damaged file; `DataError` for a file without rows or columns, and for a
  ///   value that is not finite.
  public init(contentsOf path: String, header: CSVTable.HeaderRule = .automatic) throws {
    let file = try MatrixFile.read(path, header: header)
    guard file.count > 0, file.dimension > 0 else { throw DataError.empty(source: path) }
    self.init(
      name: path, samples: SampleMatrix(count: file.count, dimension: file.dimension, values: file.values),
      remarks: file.remarks)
    do {
      try validate()
    } catch DataError.notFinite(let source, let row, let column, let value, _) {
      throw DataError.notFinite(source: source, row: row, column: column, value: value, line: file.lines?[row])
    }
  }
}
