/// The entry of one tensor in the header. It is checked against the size of the data before memory is allocated for it.
struct SafetensorsEntry {
  let name: String
  let elementType: SafetensorsElementType
  let shape: [Int]
  /// The range of bytes `begin..<end`, counted from the beginning of the data; `begin <= end <= dataSize`.
  let begin: Int
  let end: Int

  init(name: String, _ value: JSONValue, dataSize: Int, source: String) throws(FlowIOError) {
    func damaged(_ problem: String) -> FlowIOError {
      SafetensorsFile.damaged(source, "tensor '\(name)' \(problem)")
    }
    guard let members = value.members, Set(members.map(\.key)) == ["dtype", "shape", "data_offsets"] else {
      throw damaged("must have exactly the keys dtype, shape and data_offsets in the header")
    }
    guard let typeName = value["dtype"]?.text else { throw damaged("has a dtype that is not text") }
    guard let elementType = SafetensorsElementType(rawValue: typeName) else {
      throw .unsupported(
        path: source, problem: "tensor '\(name)' has the unknown element type '\(typeName)'",
        fix: "save the tensor as F32 or F64, or copy the file again if that is its type")
    }
    guard let shape = Self.counts(value["shape"]), let offsets = Self.counts(value["data_offsets"]), offsets.count == 2
    else { throw damaged("has a shape or offsets that are not integers from 0 on") }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end, end <= dataSize else {
      throw damaged("has the data offsets \(begin) and \(end), which are not within the \(dataSize) bytes of data")
    }
    guard elementType.byteCount(shape: shape) == end - begin else {
      throw damaged("has \(end - begin) bytes, which is not the size of shape \(shape) and type \(typeName)")
    }
    (self.name, self.elementType, self.shape, self.begin, self.end) = (name, elementType, shape, begin, end)
  }

  /// An array of integers from 0 on, or nil if it is anything else. `1.0` is not an integer here.
  private static func counts(_ value: JSONValue?) -> [Int]? {
    guard let elements = value?.elements else { return nil }
    var counts: [Int] = []
    for element in elements {
      guard case .integer(let count) = element, count >= 0 else { return nil }
      counts.append(count)
    }
    return counts
  }
}
