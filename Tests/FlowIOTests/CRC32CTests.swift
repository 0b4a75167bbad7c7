import FlowIO
import Testing

@Suite struct CRC32CTests {
  @Test func publishedVectors() {
    // The check value of the CRC catalogue, and RFC 3720, appendix B.4.
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
    #expect(CRC32C.checksum([]) == 0)
  }

  @Test func everyLengthMatchesTheBitwiseDefinition() {
    var random = SplitMix(state: 1)
    for length in 0..<40 {
      let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      var remainder: UInt32 = 0xFFFF_FFFF
      for byte in bytes {
        remainder ^= UInt32(byte)
        for _ in 0..<8 { remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
      }
      #expect(CRC32C.checksum(bytes) == ~remainder, "length \(length)")
    }
  }

  @Test func maskMatchesTensorFlowRecordFiles() {
    #expect(CRC32C.masked(0) == 0xA282_EAD8)
    // 1 rotated right by 15 is bit 17.
    #expect(CRC32C.masked(1) == 0xA282_EAD8 + 0x2_0000)
  }
}
