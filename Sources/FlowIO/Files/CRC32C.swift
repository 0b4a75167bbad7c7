/// The CRC-32C (Castagnoli) checksum, which iSCSI, ext4 and TensorFlow's record files use.
///
/// Reflected polynomial 0x82F63B78; initial value and final XOR are all ones (RFC 3720, appendix B.4). The checksum
/// of the ASCII digits "123456789" is 0xE3069283. It detects every change that lies within 32 adjacent bits.
public enum CRC32C {
  /// `table[256 k + b]` is the remainder of byte `b` followed by `k` zero bytes, for `k` from 0 to 7.
  private static let table: [UInt32] = {
    var table = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 { remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
      table[byte] = remainder
    }
    for index in 256..<table.count {
      let shorter = table[index - 256]
      table[index] = (shorter >> 8) ^ table[Int(shorter & 0xFF)]
    }
    return table
  }()

  /// The checksum of `bytes`.
  public static func checksum(_ bytes: [UInt8]) -> UInt32 {
    checksum(bytes.span)
  }

  /// The checksum of `bytes`.
  ///
  /// The loop handles eight bytes per iteration ("slicing by eight"); one byte per iteration takes five times as long.
  public static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
    let table = table.span
    var remainder: UInt32 = 0xFFFF_FFFF
    var index = 0
    while index + 8 <= bytes.count {
      var next: UInt32 = 0
      for place in 0..<8 {
        let mixed = place < 4 ? UInt8(truncatingIfNeeded: remainder >> UInt32(8 * place)) : 0
        next ^= table[(7 - place) * 256 + Int(bytes[index + place] ^ mixed)]
      }
      remainder = next
      index += 8
    }
    while index < bytes.count {
      remainder = (remainder >> 8) ^ table[Int(UInt8(truncatingIfNeeded: remainder) ^ bytes[index])]
      index += 1
    }
    return ~remainder
  }

  /// The masked checksum that TensorFlow's record files store: rotated right by 15 bits, plus 0xA282EAD8.
  ///
  /// TensorFlow masks its checksums because the records themselves may contain checksums as data.
  public static func masked(_ checksum: UInt32) -> UInt32 {
    ((checksum >> 15) | (checksum << 17)) &+ 0xA282_EAD8
  }
}
