import FlowIO
import Testing

@Suite struct EventFileTests {
  /// The data of each record. The lengths and checksums are verified.
  private func records(_ path: String) throws -> [[UInt8]] {
    var rest = try readBytes(path)[...]
    func integer(_ width: Int) -> UInt64 {
      defer { rest = rest.dropFirst(width) }
      return rest.prefix(width).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    var records: [[UInt8]] = []
    while !rest.isEmpty {
      let lengthBytes = Array(rest.prefix(8))
      let length = Int(integer(8))
      #expect(integer(4) == UInt64(CRC32C.masked(CRC32C.checksum(lengthBytes))))
      let data = Array(rest.prefix(length))
      rest = rest.dropFirst(length)
      #expect(integer(4) == UInt64(CRC32C.masked(CRC32C.checksum(data))))
      records.append(data)
    }
    return records
  }

  private func bytes<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
    (0..<Integer.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Integer(8 * $0)) }
  }

  @Test func recordsAreAsSpecified() throws {
    let directory = try TemporaryDirectory()
    let writer = try EventFileWriter(directory: directory.path)
    try writer.scalar("loss/train", 1.5, step: 300, wallTime: 2.25)
    try writer.close()
    try writer.close()

    let records = try records(writer.path)
    #expect(records.count == 2)
    // 1: wall time, 3: file version.
    #expect(records[0][0] == 0x09 && records[0].dropFirst(9) == [0x1A, 13] + Array("brain.Event:2".utf8))
    var expected: [UInt8] = [0x09] + bytes(2.25.bitPattern)
    // 2: step 300 = 0b10_0101100.
    expected += [0x10, 0xAC, 0x02]
    // 5: summary { 1: value { 1: tag, 2: float } }.
    expected += [0x2A, 19, 0x0A, 17, 0x0A, 10] + Array("loss/train".utf8) + [0x15] + bytes(Float(1.5).bitPattern)
    #expect(records[1] == expected)
  }

  @Test func fileNamesAreThoseOfTensorBoardAndUnique() throws {
    let directory = try TemporaryDirectory()
    let writers = try (0..<3).map { _ in try EventFileWriter(directory: directory.path) }
    #expect(Set(writers.map(\.path)).count == 3)
    for name in try directory.names { #expect(name.hasPrefix("events.out.tfevents.")) }
    #expect(try directory.names.count == 3)
  }

  @Test func recordsAreBufferedUntilFlushed() throws {
    let directory = try TemporaryDirectory()
    let writer = try EventFileWriter(directory: directory.path, firstStep: 5)
    #expect(try records(writer.path).count == 2)
    // 2: step 5, 7: session log { 1: status 1 }.
    #expect(try Array(records(writer.path)[1].dropFirst(9)) == [0x10, 5, 0x3A, 2, 0x08, 1])
    for step in 0..<10 { try writer.scalar("a", .nan, step: -step) }
    #expect(try records(writer.path).count == 2)
    try writer.flush()
    #expect(try records(writer.path).count == 12)
    for step in 0..<5000 { try writer.scalar("a", 1, step: step) }
    #expect(try records(writer.path).count > 1000)
  }

  @Test func missingDirectory() {
    #expect(throws: FlowIOError.self) { try EventFileWriter(directory: "/nowhere") }
  }
}
