import FlowIO

/// What tells one set of points from another: their count, dimension and CRC-32C.
///
/// A run that is looked at or gone on with later can so notice that its data are no longer those it began with.
public struct DatasetFingerprint: Sendable, Equatable {
  public let count: Int
  public let dimension: Int
  /// Of the points as little-endian floats, row by row.
  public let checksum: UInt32

  public init(of dataset: Dataset) {
    count = dataset.count
    dimension = dataset.dimension
    let points = SafetensorsTensor(name: dataset.name, shape: [count, dimension], floats: dataset.points.values)
    checksum = CRC32C.checksum(points.bytes)
  }
}

extension DatasetFingerprint: CustomStringConvertible {
  /// "400 rows, 2 columns, crc32c 00a1b2c3".
  public var description: String {
    let digits = String(checksum, radix: 16)
    let zeros = String(repeating: "0", count: 8 - digits.count)
    return "\(count) rows, \(dimension) columns, crc32c \(zeros)\(digits)"
  }
}
