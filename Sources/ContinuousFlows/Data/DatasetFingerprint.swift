import FlowIO

/// A fingerprint of a data set: count, dimension and CRC-32C.
///
/// A run that is resumed or evaluated later uses it to notice changed data.
public struct DatasetFingerprint: Sendable, Equatable {
  public let count: Int
  public let dimension: Int
  /// CRC-32C of the samples as little-endian doubles, row by row.
  public let checksum: UInt32
  /// The same of the samples as floats, which is what older runs recorded.
  private let floatChecksum: UInt32

  public init(of dataset: Dataset) {
    count = dataset.count
    dimension = dataset.dimension
    let values = dataset.samples.values
    checksum = CRC32C.checksum(SafetensorsTensor(name: "", shape: [values.count], doubles: values).bytes)
    let floats = SafetensorsTensor(name: "", shape: [values.count], floats: values.map { Float($0) })
    floatChecksum = CRC32C.checksum(floats.bytes)
  }

  /// Whether `recorded` is this fingerprint's description, or that of an older run.
  public func matches(_ recorded: String) -> Bool {
    recorded == description || recorded == "\(shape), crc32c \(Self.text(floatChecksum))"
  }

  private var shape: String { "\(count) rows, \(dimension) columns" }

  private static func text(_ checksum: UInt32) -> String {
    let digits = String(checksum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

extension DatasetFingerprint: CustomStringConvertible {
  /// "400 rows, 2 columns, float64 crc32c 00a1b2c3".
  public var description: String { "\(shape), float64 crc32c \(Self.text(checksum))" }
}
