import FlowIO
import Testing

@Suite struct SafetensorsTests {
  static let example = SafetensorsFile(
    tensors: [
      SafetensorsTensor(name: "net.0.weight", shape: [2, 3], floats: [1, -2, 0.5, .pi, 1e-30, -0.0]),
      SafetensorsTensor(name: "net.0.bias", shape: [2], floats: [7, 8]),
      SafetensorsTensor(name: "empty", shape: [0, 5], floats: []),
      SafetensorsTensor(name: "time", shape: [], doubles: [0.1]),
      SafetensorsTensor(name: "step", shape: [2], integers: [.min, .max]),
      SafetensorsTensor(name: "flags", elementType: .unsigned8, shape: [3], bytes: [1, 2, 255]),
    ],
    metadata: ["config": "steps: 3\nname: \"é\"\n", "seed": "17"])

  @Test func filesOfOtherProgramsLoad() throws {
    let file = try SafetensorsFile(path: Golden.path("plain.safetensors"))
    #expect(file.metadata == ["format": "pt", "note": "a \"quoted\" é\n"])
    #expect(try file.tensor(named: "net.0.weight").shape == [2, 3])
    #expect(try file.floats(named: "net.0.weight") == Golden.values.map { Float($0) })
    #expect(try file.doubles(named: "net.0.bias") == [0.5, -1.5])
    #expect(try file.doubles(named: "scale") == [0.1])
    #expect(try file.floats(named: "scale") == [0.1])
    #expect(try file.integers(named: "steps") == [-1, 1 << 62])
    #expect(try file.integers(named: "bytes") == [0, 1, 2])
    #expect(try file.floats(named: "half") == [1.5, -2, 65504, 0x1p-24, .infinity])
    #expect(try file.tensor(named: "nothing").shape == [0, 4])
    #expect(try file.floats(named: "nothing") == [])
  }

  @Test func checksumsAreAsDescribed() throws {
    let file = try SafetensorsFile(path: Golden.path("checked.safetensors"))
    #expect(file.metadata == ["config": "a: 1\nb: é\n", "seed": "7"])
    #expect(file.tensors.map(\.name) == ["time", "counts", "weight é"])
    #expect(try file.integers(named: "counts") == [3, -4])
    #expect(try file.serialized() == Golden.bytes("checked.safetensors"))
  }

  @Test func roundTrip() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.safetensors")
    try Self.example.write(to: path)
    let file = try SafetensorsFile(path: path)
    #expect(file.source == path)
    #expect(file.metadata == Self.example.metadata)
    #expect(file.tensors.count == 6)
    for tensor in Self.example.tensors { #expect(file[tensor.name] == tensor) }
    #expect(try file.integers(named: "step") == [.min, .max])
    #expect(try file.serialized() == Self.example.serialized())
    #expect(try directory.names == ["a.safetensors"])
  }

  @Test func elementsAreAligned() throws {
    let file = SafetensorsFile(tensors: [
      SafetensorsTensor(name: "a", elementType: .unsigned8, shape: [1], bytes: [1]),
      SafetensorsTensor(name: "b", shape: [1], floats: [1]),
      SafetensorsTensor(name: "c", shape: [1], doubles: [1]),
    ])
    let bytes = try file.serialized()
    #expect(try SafetensorsFile(bytes: bytes, source: "x").tensors.map(\.name) == ["c", "b", "a"])
    #expect(bytes[0] % 8 == 0)
  }

  @Test func brainFloats() throws {
    let tensor = SafetensorsTensor(name: "a", elementType: .bfloat16, shape: [2], bytes: [0x80, 0x3F, 0x40, 0xC0])
    #expect(tensor.floats() == [1, -3])
    #expect(tensor.doubles() == [1, -3])
  }

  @Test func integersOfEveryWidth() {
    let types: [SafetensorsElementType] = [
      .signed8, .signed16, .signed32, .signed64, .unsigned8, .unsigned16, .unsigned32, .unsigned64,
    ]
    for type in types {
      let width = type.bitWidth / 8
      let bytes = [UInt8](repeating: 0, count: width - 1) + [0x40] + [UInt8](repeating: 0xFE, count: width)
      let values = SafetensorsTensor(name: "a", elementType: type, shape: [2], bytes: bytes).integers()
      let second = (0..<width).reduce(0) { $0 | 0xFE << (8 * $1) }
      let isSigned = type.rawValue.hasPrefix("I")
      let negative = width < 8 ? second - 1 << (8 * width) : second
      let expected = [0x40 << (8 * (width - 1)), isSigned ? negative : second]
      #expect(values == (type == .unsigned64 ? nil : expected), "\(type.rawValue)")
    }
  }

  /// `width` is the number of bytes of eight elements that PyPI's safetensors 0.8 accepts.
  @Test(
    arguments: zip(
      SafetensorsElementType.allCases,
      [8, 4, 6, 6, 8, 8, 8, 8, 8, 8, 8, 16, 16, 16, 16, 32, 32, 32, 64, 64, 64, 64]))
  func everyElementTypeLoads(_ type: SafetensorsElementType, width: Int) throws {
    let tensor = SafetensorsTensor(name: "t", elementType: type, shape: [8], bytes: Array(0..<UInt8(width)))
    let file = try SafetensorsFile(bytes: SafetensorsFile(tensors: [tensor]).serialized(), source: "x")
    #expect(file.tensors == [tensor])
    #expect(tensor.count == 8)
  }

  @Test func messageOfAMissingTensorListsTheTensors() throws {
    let found = error { () throws(FlowIOError) in _ = try Self.example.floats(named: "net.2.weight") }
    #expect(
      found?.description == "safetensors file: the file has no tensor 'net.2.weight'; "
        + "its tensors are: net.0.weight, net.0.bias, empty, time, step, flags")
  }

  @Test func wrongTypesAreRefused() throws {
    let found = error { () throws(FlowIOError) in _ = try Self.example.floats(named: "step") }
    #expect(
      found?.description == "safetensors file: tensor 'step' has elements of type I64, which cannot be read as "
        + "floating-point numbers; convert them and save the file again")
    #expect(throws: FlowIOError.self) { try Self.example.integers(named: "time") }
    let huge = SafetensorsTensor(
      name: "u", elementType: .unsigned64, shape: [1], bytes: [UInt8](repeating: 255, count: 8))
    #expect(huge.integers() == nil)
  }

  @Test func checksumsStayValidInAnotherOrder() throws {
    // The members have another order and spaces around them, as after loading and saving in Python.
    let bytes = try Self.example.serialized()
    let size = Int(bytes[0]) | Int(bytes[1]) << 8
    let header = try JSONValue(parsing: Array(bytes[8..<8 + size]))
    let members = try #require(header.members)
    let text = JSONValue.object(members.reversed()).description.replacing(":{", with: ": { ")
    var changed: [UInt8] = [UInt8(text.utf8.count & 255), UInt8(text.utf8.count >> 8), 0, 0, 0, 0, 0, 0]
    changed += text.utf8
    changed += bytes[(8 + size)...]
    #expect(try SafetensorsFile(bytes: changed, source: "x").metadata == Self.example.metadata)
  }
}
