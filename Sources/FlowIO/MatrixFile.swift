/// Reading a matrix of samples from an npy or text file.
public enum MatrixFile {
  /// The accepted file name extensions. Case does not matter.
  public static let extensions = [".npy", ".csv", ".txt", ".tsv"]

  /// Reads a matrix; the extension of `path` decides the format.
  ///
  /// - Returns: `values` has the shape `[count][dimension]` and is rounded to float; it may have NaN and infinities. A
  ///   one-dimensional npy array has dimension 1. An array of more than two axes is flattened from the second axis on.
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
        fix: "save an array with one row per sample")
    }
    return (count, dimension, array.floats())
  }
}
