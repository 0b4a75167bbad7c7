import FieldPrograms
import FlowIO

extension Dataset {
  /// Reads samples from a .npy or .csv file, one per row; the path becomes the name.
  ///
  /// - Throws: `FlowIOError` for a missing or damaged file; `DataError` for a file without rows or columns. NaN and ∞
  ///   are accepted here: `validate` finds them.
  public init(contentsOf path: String) throws {
    let (count, dimension, values) = try MatrixFile.read(path)
    guard count > 0, dimension > 0 else { throw DataError.empty(source: path) }
    self.init(name: path, samples: SampleMatrix(count: count, dimension: dimension, values: values))
  }
}
