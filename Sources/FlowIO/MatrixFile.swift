/// A matrix of samples from an npy or text file.
public struct MatrixFile: Equatable, Sendable {
  /// The number of rows.
  public let count: Int
  public let dimension: Int
  /// `[count][dimension]`; may have NaN and infinities.
  public let values: [Double]
  /// The line of each row in a text file, from 1; nil for an npy file.
  public let lines: [Int]?
  /// What may be wrong with the reading of a text file: sentences with the fix.
  public let remarks: [String]

  /// The accepted file name extensions. Case does not matter.
  public static let extensions = [".npy", ".csv", ".txt", ".tsv"]

  /// Reads a matrix; the extension of `path` decides the format.
  ///
  /// A one-dimensional npy array has dimension 1. An array of more than two axes is flattened from the second axis on.
  ///
  /// - Parameter header: of a text file.
  /// - Throws: `FlowIOError.unknownExtension`, `.missingFile`, `.unsupported` for an npy scalar, and the errors of
  ///   `NumPyFile.read` and `CSVTable.read`.
  public static func read(
    _ path: String, header: CSVTable.HeaderRule = .automatic
  ) throws(FlowIOError) -> MatrixFile {
    let name = path.split(separator: "/").last ?? ""
    let suffix = name.lastIndex(of: ".").map { name[$0...].lowercased() } ?? ""
    guard extensions.contains(suffix) else { throw .unknownExtension(path: path, accepted: extensions) }
    guard suffix == ".npy" else {
      return MatrixFile(try CSVTable.parsed(bytes: FileBytes.read(path), source: path, header: header), source: path)
    }
    let array = try NumPyFile.read(path)
    guard let count = array.shape.first, let dimension = Shape.elementCount(Array(array.shape.dropFirst())) else {
      throw .unsupported(
        path: path, problem: "an array of shape \(array.shape) is not a matrix of samples",
        fix: "save an array with one row per sample")
    }
    return MatrixFile(count: count, dimension: dimension, values: array.doubles(), lines: nil, remarks: [])
  }

  private init(count: Int, dimension: Int, values: [Double], lines: [Int]?, remarks: [String]) {
    (self.count, self.dimension, self.values, self.lines, self.remarks) = (count, dimension, values, lines, remarks)
  }

  private init(_ table: CSVParser, source: String) {
    var remarks: [String] = []
    switch table.headerDoubt {
    case .taken(let names):
      remarks.append(
        "the first line of \(source) (\(Self.shown(names))) is taken as the names of the columns: give --header absent if it "
          + "is a sample")
    case .left(let names):
      remarks.append(
        "the first line of \(source) (\(Self.shown(names))) is taken as a sample: give --header present if it names the columns"
      )
    case nil: break
    }
    let count = table.lines.count
    if table.header?.first?.isEmpty ?? false, table.columns > 1, count > 1,
      (0..<count).allSatisfy({ table.values[$0 * table.columns] == table.values[0] + Double($0) })
    {
      remarks.append(
        "column 1 of \(source) has no name and counts the rows, so it is an index and no datum: remove the column "
          + "(pandas: to_csv with index=False)")
    }
    self.init(
      count: count, dimension: table.columns, values: table.values, lines: table.lines, remarks: remarks)
  }

  private static func shown(_ names: [String]) -> String {
    names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", …" : "")
  }
}
