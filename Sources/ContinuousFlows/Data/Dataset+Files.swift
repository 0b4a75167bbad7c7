import FieldPrograms
import FlowIO

extension Dataset {
  /// The samples in a .npy or .csv file, one per row; named by the path.
  ///
  /// - Throws: `FlowIOError` for a file that is missing or damaged; `DataError` for one without rows or columns. NaN and ∞
  ///   pass here: `validate` finds them.
  public init(contentsOf path: String) throws {
    let (count, dimension, values) = try MatrixFile.read(path)
    guard count > 0, dimension > 0 else { throw DataError.empty(source: path) }
    self.init(name: path, points: SampleMatrix(count: count, dimension: dimension, values: values))
  }
}
