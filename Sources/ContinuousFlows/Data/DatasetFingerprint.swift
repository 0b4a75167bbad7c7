import FlowIO

/// A fingerprint of a data set: count, dimension and CRC-32C.
///
/// A run that is resumed or evaluated later uses it to notice changed data.
public struct DatasetFingerprint: Sendable, Equatable {
  public let count: Int
  public let dimension: Int
  /// CRC-32C of the samples as little-endian floats, row by row.
  public let checksum: UInt32

  public init(of dataset: Dataset) {
    count = dataset.count
    dimension = dataset.dimension
    let samples = SafetensorsTensor(name: dataset.name, shape: [count, dimension], floats: dataset.samples.values)
    checksum = CRC32C.checksum(samples.bytes)
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
