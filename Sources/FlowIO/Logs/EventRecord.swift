/// One record of a TensorBoard event file.
///
/// The framing is that of TFRecord files: the length of the data (64 bits), the masked CRC-32C of the length, the data,
/// and the masked CRC-32C of the data. The data is an `Event` message (tensorflow/core/util/event.proto) with these
/// fields: 1 wall time (double), 2 step (int64), 3 file version, 5 summary {1 value {1 tag, 2 simple value (float)}},
/// 7 session log {1 status}.
enum EventRecord {
  /// The first record of a file. TensorBoard ignores a file without it.
  static func fileVersion(wallTime: Double) -> [UInt8] {
    var event = double(1, wallTime)
    event += delimited(3, Array("brain.Event:2".utf8))
    return framed(event)
  }

  /// Tells TensorBoard to discard points of `step` and later steps in earlier files. Session status 1 is START.
  static func restart(step: Int, wallTime: Double) -> [UInt8] {
    var event = double(1, wallTime)
    event += varint(2, step)
    event += delimited(7, varint(1, 1))
    return framed(event)
  }

  /// A point of the curve called `tag`.
  static func scalar(tag: String, value: Float, step: Int, wallTime: Double) -> [UInt8] {
    var point = delimited(1, Array(tag.utf8)) + key(2, wireType: 5)
    LittleEndian.append(value.bitPattern, to: &point)
    var event = double(1, wallTime)
    event += varint(2, step)
    event += delimited(5, delimited(1, point))
    return framed(event)
  }

  private static func framed(_ data: [UInt8]) -> [UInt8] {
    var record: [UInt8] = []
    LittleEndian.append(UInt64(data.count), to: &record)
    LittleEndian.append(CRC32C.masked(CRC32C.checksum(record)), to: &record)
    record += data
    LittleEndian.append(CRC32C.masked(CRC32C.checksum(data)), to: &record)
    return record
  }

  // MARK: Protocol buffers: each field is a key (field number and wire type), then the value

  private static func key(_ field: UInt8, wireType: UInt8) -> [UInt8] {
    [field << 3 | wireType]
  }

  private static func double(_ field: UInt8, _ value: Double) -> [UInt8] {
    var bytes = key(field, wireType: 1)
    LittleEndian.append(value.bitPattern, to: &bytes)
    return bytes
  }

  private static func varint(_ field: UInt8, _ value: Int) -> [UInt8] {
    key(field, wireType: 0) + base128(value)
  }

  private static func delimited(_ field: UInt8, _ content: [UInt8]) -> [UInt8] {
    key(field, wireType: 2) + base128(content.count) + content
  }

  /// Seven bits per byte, lowest first; the top bit says that more bytes follow. Negative numbers take ten bytes.
  private static func base128(_ value: Int) -> [UInt8] {
    var rest = UInt64(bitPattern: Int64(value))
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
