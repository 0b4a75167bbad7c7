/// Samples from a file of any format this module reads.
public enum MatrixFile {
  /// The extensions that are read, in any case.
  public static let extensions = [".npy", ".csv", ".txt", ".tsv"]

  /// Reads a matrix, choosing the format by the extension of `path`.
  ///
  /// - Returns: `values` is `[count][dimension]`, rounded to float; it may hold NaN and infinities. An npy array of one
  ///   extent has dimension 1; of more than two, all but the first are flattened into the dimension.
  /// - Throws: `FlowIOError.unknownExtension`, `.missingFile`, `.unsupported` for an npy scalar, and the errors of
  ///   `NumPyFile.read` and `CSVTable.read`.
  public static func read(_ path: String) throws(FlowIOError) -> (count: Int, dimension: Int, values: [Float]) {
    let name = path.split(separator: "/").last ?? ""
    let suffix = name.lastIndex(of: ".").map { name[$0...].lowercased() } ?? ""
    guard extensions.contains(suffix) else { throw .unknownExtension(path: path, accepted: extensions) }
    guard suffix == ".npy" else {
      let table = try CSVTable.read(path)
      return (table.rows, table.columns, table.values.map { Float($0) })
    }
    let array = try NumPyFile.read(path)
    guard let count = array.shape.first, let dimension = Shape.elementCount(Array(array.shape.dropFirst())) else {
      throw .unsupported(
        path: path, problem: "an array of shape \(array.shape) is not a matrix of samples",
        mend: "save an array with a row for each sample")
    }
    return (count, dimension, array.floats())
  }
}
