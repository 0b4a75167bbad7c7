import FlowIO
import Testing

@Suite struct NumPyTests {
  @Test(
    arguments: NumPyElementType.allCases.filter { $0 != .boolean },
    ["little", "big", "little_fortran", "big_fortran"])
  func everyTypeAndOrder(_ type: NumPyElementType, _ layout: String) throws {
    let array = try NumPyFile.read(Golden.path("\(type.rawValue)_\(layout).npy"))
    #expect(array.shape == [2, 3])
    #expect(array.elementType == type)
    #expect(array.floats() == Golden.values.map { Float($0) })
    #expect(array.doubles() == Golden.values.map { Double($0) })
    #expect(array.integers() == (array.isInteger ? Golden.values : nil))
  }

  @Test func limitsOfTheIntegerTypes() throws {
    func limits<Integer: FixedWidthInteger>(_ type: Integer.Type, _ name: String) throws {
      let array = try NumPyFile.read(Golden.path("\(name)_limits.npy"))
      #expect(array.doubles() == [Double(Integer.min), Double(Integer.max)], "\(name)")
      #expect(array.floats() == [Float(Integer.min), Float(Integer.max)], "\(name)")
      #expect(array.integers() == Int(exactly: Integer.max).map { [Int(Integer.min), $0] }, "\(name)")
    }
    try limits(Int8.self, "i1")
    try limits(Int16.self, "i2")
    try limits(Int32.self, "i4")
    try limits(Int64.self, "i8")
    try limits(UInt8.self, "u1")
    try limits(UInt16.self, "u2")
    try limits(UInt32.self, "u4")
    try limits(UInt64.self, "u8")
  }

  @Test(arguments: ["version2.npy", "version3.npy"])
  func laterVersions(_ name: String) throws {
    #expect(try NumPyFile.read(Golden.path(name)) == NumPyFile.read(Golden.path("f4_little.npy")))
  }

  @Test func booleansScalarsAndEmptyArrays() throws {
    let booleans = try NumPyFile.read(Golden.path("b1.npy"))
    #expect(booleans.integers() == [1, 0, 1])
    #expect(booleans.floats() == [1, 0, 1])
    let scalar = try NumPyFile.read(Golden.path("scalar.npy"))
    #expect(scalar.shape == [] && scalar.doubles() == [2.5])
    let empty = try NumPyFile.read(Golden.path("empty.npy"))
    #expect(empty.shape == [0, 3] && empty.floats() == [])
  }

  @Test func fortranOrderOfThreeExtents() throws {
    let cube = try NumPyFile.read(Golden.path("cube_fortran.npy"))
    #expect(cube.shape == [2, 3, 4])
    #expect(cube.integers() == Array(0..<24))
  }

  @Test func nonFiniteValuesAreKept() throws {
    let values = try NumPyFile.read(Golden.path("one_extent.npy")).doubles()
    #expect(values[..<3] == [1, -2.5, .infinity] && values[3].isNaN)
  }

  @Test func writesTheBytesNumPyWrites() throws {
    let floats = NumPyArray(shape: [2, 3], floats: Golden.values.map { Float($0) })
    #expect(try NumPyFile.serialized(floats) == Golden.bytes("f4_little.npy"))
    let doubles = NumPyArray(shape: [2, 3], doubles: Golden.values.map { Double($0) })
    #expect(try NumPyFile.serialized(doubles) == Golden.bytes("f8_little.npy"))
    let integers = NumPyArray(shape: [2, 3], integers: Golden.values)
    #expect(try NumPyFile.serialized(integers) == Golden.bytes("i8_little.npy"))
    let bytes = NumPyArray(shape: [2, 3], bytes: Golden.values.map { UInt8($0) })
    #expect(try NumPyFile.serialized(bytes) == Golden.bytes("u1_little.npy"))
    let scalar = NumPyArray(shape: [], doubles: [2.5])
    #expect(try NumPyFile.serialized(scalar) == Golden.bytes("scalar.npy"))
    let vector = NumPyArray(shape: [3], integers: [1, 2, 3])
    #expect(try NumPyFile.read(bytes: NumPyFile.serialized(vector), source: "x") == vector)
  }

  @Test func writesFiles() throws {
    let directory = try TemporaryDirectory()
    let array = NumPyArray(shape: [1, 2], floats: [3, .nan])
    try NumPyFile.write(array, to: directory.file("a.npy"))
    #expect(try NumPyFile.read(directory.file("a.npy")) == array)
  }

  @Test(
    arguments: zip(
      ["object.npy", "structured.npy", "half.npy"],
      ["Python objects are not supported", "structured array", "elements of type '<f2' are not supported"]))
  func refusedTypes(_ name: String, _ reason: String) throws {
    let path = Golden.path(name)
    let found = error { () throws(FlowIOError) in _ = try NumPyFile.read(path) }
    #expect(found?.description.hasPrefix(path) == true)
    #expect(found?.description.contains(reason) == true)
  }

  /// A version 1 file with the text `header` and `data` zero bytes.
  private func file(_ header: String, data: Int = 0) -> [UInt8] {
    [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)]
      + Array(header.utf8) + [UInt8](repeating: 0, count: data)
  }

  private func isRefused(_ bytes: [UInt8]) -> Bool {
    error { () throws(FlowIOError) in _ = try NumPyFile.read(bytes: bytes, source: "x") } != nil
  }

  @Test func hugeShapesAreRefusedBeforeAllocation() {
    func array(_ shape: String, data: Int = 16) -> [UInt8] {
      file("{'descr': '<f4', 'fortran_order': True, 'shape': \(shape), }", data: data)
    }
    #expect(!isRefused(array("(4,)")))
    #expect(isRefused(array("(1152921504606846976,)")))
    #expect(isRefused(array("(4294967296, 4294967296)")))
    #expect(isRefused(array("(4611686018427387908,)")))
    #expect(isRefused(array("(99999999999999999999,)")))
    // There are no elements, although the product of the other extents overflows.
    #expect(!isRefused(array("(0, 4611686018427387904, 4611686018427387904)", data: 0)))
    #expect(isRefused([0x93] + Array("NUMPY".utf8) + [2, 0, 255, 255, 255, 255]))
  }

  @Test(arguments: [
    "", "{", "{}", "[]", "{'descr': '<f4', 'fortran_order': False}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}",
    "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': 1}", "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x",
    "{'descr': '', 'fortran_order': False, 'shape': ()}", "((((((((((((((((((((((((((((((((((",
  ])
  func refusedHeaders(_ header: String) {
    #expect(isRefused(file(header, data: 4)))
  }

  @Test func headersOfOldPythonLoad() {
    #expect(!isRefused(file("{\"shape\": (1L,), 'fortran_order': False, 'descr': 'f4'}\n", data: 4)))
  }

  @Test(arguments: ["f8_big_fortran.npy", "version3.npy", "structured.npy", "u1_little.npy"])
  func damageNeverCrashes(_ name: String) throws {
    var random = SplitMix(state: 5)
    let whole = try Golden.bytes(name)
    for count in 0..<whole.count { #expect(isRefused(Array(whole[..<count])), "\(count) bytes") }
    for _ in 0..<2000 {
      var bytes = whole
      let index = Int.random(in: 0..<bytes.count, using: &random)
      bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      if let array = try? NumPyFile.read(bytes: bytes, source: "x") { #expect(array.floats().count == array.count) }
    }
  }
}
