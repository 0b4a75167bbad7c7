/// What the header says of one tensor, checked against the size of the data before anything is allocated for it.
struct SafetensorsEntry {
  let name: String
  let elementType: SafetensorsElementType
  let shape: [Int]
  /// From the beginning of the data; `begin <= end <= dataSize`.
  let begin: Int
  let end: Int

  init(name: String, _ value: JSONValue, dataSize: Int, source: String) throws(FlowIOError) {
    func damaged(_ problem: String) -> FlowIOError {
      SafetensorsFile.damaged(source, "tensor '\(name)' \(problem)")
    }
    guard let members = value.members, Set(members.map(\.key)) == ["dtype", "shape", "data_offsets"] else {
      throw damaged("is not described by dtype, shape and data_offsets")
    }
    guard let typeName = value["dtype"]?.text else { throw damaged("has a dtype that is not text") }
    guard let elementType = SafetensorsElementType(rawValue: typeName) else {
      throw .unsupported(
        path: source, problem: "tensor '\(name)' has the unknown element type '\(typeName)'",
        mend: "save it as F32 or F64, or copy the file again if it should be that")
    }
    guard let shape = Self.counts(value["shape"]), let offsets = Self.counts(value["data_offsets"]), offsets.count == 2
    else { throw damaged("has a shape or offsets that are not counts") }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end, end <= dataSize else {
      throw damaged("lies at bytes \(begin) to \(end) of \(dataSize)")
    }
    guard elementType.byteCount(shape: shape) == end - begin else {
      throw damaged("of shape \(shape) and type \(typeName) cannot take \(end - begin) bytes")
    }
    (self.name, self.elementType, self.shape, self.begin, self.end) = (name, elementType, shape, begin, end)
  }

  /// An array of integers from 0 on, written as such (`1.0` is not a count).
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
