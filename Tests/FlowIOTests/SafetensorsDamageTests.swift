import FlowIO
import Testing

@Suite struct SafetensorsDamageTests {
  /// A file with the header `text` and `data` zero bytes. The header size in the file is `claimed` if given.
  private func bytes(_ text: String, data: Int = 0, claimed: UInt64? = nil) -> [UInt8] {
    let size = claimed ?? UInt64(text.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: size >> UInt64(8 * $0)) } + Array(text.utf8)
      + [UInt8](repeating: 0, count: data)
  }

  private func problem(_ bytes: [UInt8]) -> String? {
    error { () throws(FlowIOError) in _ = try SafetensorsFile(bytes: bytes, source: "x.safetensors") }?.description
  }

  @Test func everyFlippedBitIsDetected() throws {
    for name in ["example", "empty"] {
      let file = name == "empty" ? SafetensorsFile(tensors: []) : SafetensorsTests.example
      let whole = try file.serialized()
      for bit in 0..<whole.count * 8 {
        var bytes = whole
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(problem(bytes) != nil, "\(name), bit \(bit % 8) of byte \(bit / 8)")
      }
    }
  }

  @Test func everyTruncationIsDetected() throws {
    let whole = try SafetensorsTests.example.serialized()
    for count in 0..<whole.count { #expect(problem(Array(whole[..<count])) != nil, "\(count) bytes") }
    #expect(problem(whole + [0]) != nil)
    #expect(problem(whole) == nil)
  }

  @Test func randomDamageIsDetected() throws {
    let seed: UInt64 = 3
    var random = SplitMix(state: seed)
    let whole = try SafetensorsTests.example.serialized()
    for trial in 0..<2000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      if trial % 4 == 0 { bytes.removeLast(Int.random(in: 1...bytes.count, using: &random)) }
      guard bytes != whole else { continue }
      #expect(problem(bytes) != nil, "seed \(seed), trial \(trial)")
    }
  }

  @Test func damageWithoutChecksumsNeverCrashes() throws {
    var random = SplitMix(state: 4)
    let whole = try Golden.bytes("plain.safetensors")
    for _ in 0..<2000 {
      var bytes = whole
      let index = Int.random(in: 0..<bytes.count, using: &random)
      bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      if let text = problem(bytes) { #expect(text.hasPrefix("x.safetensors: ")) }
      let garbage = (0..<index % 64).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      #expect(problem(garbage) != nil)
    }
  }

  @Test(arguments: [
    "{", "[]", "{} x", " {}", #"{"a":1}"#, #"{"a":{"dtype":"F32","shape":[0]}}"#,
    #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"more":1}}"#,
    #"{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[0.0],"data_offsets":[0,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0]}}"#,
    #"{"a":{"dtype":7,"shape":[0],"data_offsets":[0,0]}}"#, #"{"__metadata__":{"a":1}}"#, #"{"__metadata__":[]}"#,
    #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#,
    #"{"__metadata__":{"crc32c.tensors":"0"}}"#, #"{"__metadata__":{"crc32c.header":"00000000"}}"#,
  ])
  func refusedHeaders(_ header: String) {
    #expect(problem(bytes(header)) != nil)
  }

  @Test func gapsOverlapsAndRemaindersAreRefused() {
    func tensors(_ first: (Int, Int), _ second: (Int, Int)) -> String {
      func entry(_ range: (Int, Int)) -> String {
        #"{"dtype":"U8","shape":[\#(range.1 - range.0)],"data_offsets":[\#(range.0),\#(range.1)]}"#
      }
      return #"{"a":\#(entry(first)),"b":\#(entry(second))}"#
    }
    #expect(problem(bytes(tensors((0, 4), (4, 8)), data: 8)) == nil)
    #expect(problem(bytes(tensors((4, 8), (0, 4)), data: 8)) == nil)
    #expect(problem(bytes(tensors((0, 4), (5, 8)), data: 8))?.contains("begins at byte 5 instead of 4") == true)
    #expect(problem(bytes(tensors((0, 4), (3, 8)), data: 8))?.contains("begins at byte 3 instead of 4") == true)
    #expect(problem(bytes(tensors((1, 4), (4, 8)), data: 8)) != nil)
    #expect(problem(bytes(tensors((0, 4), (4, 8)), data: 9))?.contains("take 8 bytes, but 9") == true)
    #expect(problem(bytes(tensors((0, 4), (4, 8)), data: 7)) != nil)
  }

  /// The sizes in the header are compared with the size of the file before memory is allocated. No machine could
  /// allocate the sizes of this test.
  @Test func hugeSizesAreRefusedBeforeAllocation() {
    func tensor(_ shape: String, _ end: UInt64) -> [UInt8] {
      bytes(#"{"a":{"dtype":"F32","shape":\#(shape),"data_offsets":[0,\#(end)]}}"#, data: 16)
    }
    #expect(problem(tensor("[1152921504606846976]", 1 << 62)) != nil)
    #expect(problem(tensor("[1152921504606846976]", 16)) != nil)
    // 2³² · 2³² elements are 0 modulo 2⁶⁴, and 2⁶² + 4 floats take 16 bytes modulo 2⁶⁴.
    #expect(problem(tensor("[4294967296,4294967296]", 0)) != nil)
    #expect(problem(tensor("[4611686018427387908]", 16)) != nil)
    #expect(problem(tensor("[9223372036854775808]", 16)) != nil)
    #expect(problem(bytes("{}", claimed: 1 << 60))?.contains("the format allows at most 100000000") == true)
    #expect(problem(bytes("{}", claimed: 100_000_000))?.contains("ends after 2") == true)
    #expect(problem(bytes("{}", claimed: .max)) != nil)
    #expect(problem(bytes("{}", claimed: 0)) != nil)
  }

  @Test func unknownElementTypeIsNamed() {
    let text = problem(bytes(#"{"a":{"dtype":"F33","shape":[0],"data_offsets":[0,0]}}"#))
    #expect(text?.contains("unknown element type 'F33'") == true)
  }

  @Test func messagesNameTheFileAndTheFix() throws {
    var whole = try SafetensorsTests.example.serialized()
    whole[whole.count - 1] ^= 1
    #expect(
      problem(whole) == "x.safetensors: the safetensors file is damaged: tensor 'flags' does not match its checksum; "
        + "copy the file again, or use an earlier checkpoint")
    let missing = error { () throws(FlowIOError) in _ = try SafetensorsFile(path: "/nowhere/a.safetensors") }
    #expect(missing?.description == "no such file: /nowhere/a.safetensors; check the spelling of the path")
  }
}
