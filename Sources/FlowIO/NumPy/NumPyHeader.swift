/// The header of an npy file: magic, version, header length, and a Python dictionary of three keys.
///
/// Source: NumPy Enhancement Proposal 1 and `numpy/lib/_format_impl.py`. The header length has 16 bits in version 1 and
/// 32 bits in versions 2 and 3. Version 3 is UTF-8 and the others are Latin-1, which only affects field names.
struct NumPyHeader {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  let elementType: NumPyElementType
  let isBigEndian: Bool
  let isFortranOrder: Bool
  let shape: [Int]
  /// The number of elements: the product of `shape`. The file has exactly that many.
  let count: Int
  /// The offset of the first element in the file, in bytes.
  let dataOffset: Int

  init(_ bytes: [UInt8], source: String) throws(FlowIOError) {
    let text = try Self.dictionary(bytes, source: source)
    dataOffset = text.endIndex
    var parser = PythonLiteralParser(text)
    guard let literal = parser.parse(), case .dictionary(let members) = literal else {
      throw NumPyFile.damaged(source, "its header is not a Python dictionary")
    }
    guard Set(members.map(\.key)) == ["descr", "fortran_order", "shape"], members.count == 3 else {
      throw NumPyFile.damaged(source, "its header must have exactly the keys descr, fortran_order and shape")
    }
    var described: PythonLiteral?
    var fortranOrder: Bool?
    var extents: [Int]?
    for (key, value) in members {
      switch (key, value) {
      case ("descr", _): described = value
      case ("fortran_order", .boolean(let flag)): fortranOrder = flag
      case ("shape", .tuple(let elements)): extents = Self.counts(elements)
      default: break
      }
    }
    guard let described, let fortranOrder, let extents, let count = Shape.elementCount(extents) else {
      throw NumPyFile.damaged(
        source, "in its header, shape must be a tuple of integers from 0 on, and fortran_order True or False")
    }
    (elementType, isBigEndian) = try Self.elementType(described, source: source)
    isFortranOrder = fortranOrder
    shape = extents
    self.count = count

    let remaining = bytes.count - dataOffset
    let (size, overflow) = count.multipliedReportingOverflow(by: elementType.byteWidth)
    guard !overflow, size == remaining else {
      throw NumPyFile.damaged(
        source,
        "\(remaining) bytes follow its header, which is not the size of shape \(shape) and type "
          + "\(elementType.rawValue)")
    }
  }

  /// The text of the Python dictionary, which lies between the header length and the elements.
  private static func dictionary(_ bytes: [UInt8], source: String) throws(FlowIOError) -> ArraySlice<UInt8> {
    guard bytes.starts(with: magic) else {
      throw .malformed(
        path: source, problem: "this is not an npy file, because it does not begin with \\x93NUMPY",
        fix: "save the array with numpy.save")
    }
    guard bytes.count >= 8 else { throw NumPyFile.damaged(source, "it ends inside the header") }
    let isFirstVersion = bytes[6] == 1
    guard (1...3).contains(bytes[6]), bytes[7] == 0 else {
      throw .unsupported(
        path: source,
        problem: "npy version \(bytes[6]).\(bytes[7]) is not supported; versions 1.0, 2.0 and 3.0 are",
        fix: "save the array again with numpy.save")
    }
    let start = isFirstVersion ? 10 : 12
    guard bytes.count >= start else { throw NumPyFile.damaged(source, "it ends inside the header") }
    let length =
      isFirstVersion
      ? Int(LittleEndian.load(UInt16.self, from: bytes, at: 8))
      : Int(LittleEndian.load(UInt32.self, from: bytes, at: 8))
    guard length <= bytes.count - start else {
      throw NumPyFile.damaged(
        source, "its header should have \(length) bytes, but the file ends after \(bytes.count - start) of them")
    }
    return bytes[start..<start + length]
  }

  private static func elementType(
    _ described: PythonLiteral, source: String
  ) throws(FlowIOError) -> (NumPyElementType, isBigEndian: Bool) {
    guard case .string(let name) = described else {
      throw .unsupported(
        path: source, problem: "structured arrays (with named fields) are not supported",
        fix: "save the columns as one plain float32 or float64 array")
    }
    let order = name.first.flatMap { "<>=|".contains($0) ? $0 : nil }
    let type = order == nil ? name[...] : name.dropFirst()
    guard let elementType = NumPyElementType(rawValue: String(type)) else {
      let kind = type == "O" ? "Python objects" : "elements of type '\(name)'"
      let accepted = NumPyElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw .unsupported(
        path: source, problem: "\(kind) are not supported; the supported types are \(accepted)",
        fix: "convert the array to float32 or float64 with array.astype and save it again")
    }
    return (elementType, order == ">")
  }

  /// The values of `elements`, or nil if one is not an integer.
  private static func counts(_ elements: [PythonLiteral]) -> [Int]? {
    var counts: [Int] = []
    for element in elements {
      guard case .integer(let count) = element else { return nil }
      counts.append(count)
    }
    return counts
  }
}
