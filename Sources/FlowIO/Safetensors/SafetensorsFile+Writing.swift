extension SafetensorsFile {
  /// The bytes of the file, with checksums.
  ///
  /// As in PyTorch's writer, tensors of wider elements come first, and spaces pad the header to a multiple of eight
  /// bytes. So every element lies at a multiple of its size. Tensors of one width keep their order. Metadata is sorted,
  /// so the same content gives the same bytes.
  ///
  /// - Throws: `FlowIOError.unsupported` if the header is larger than the format allows.
  public func serialized() throws(FlowIOError) -> [UInt8] {
    let ordered = tensors.enumerated().sorted { left, right in
      let widths = (left.element.elementType.bitWidth, right.element.elementType.bitWidth)
      return widths.0 != widths.1 ? widths.0 > widths.1 : left.offset < right.offset
    }.map(\.element)

    let text = SafetensorsChecksums.adding(to: metadata, of: ordered).sorted { $0.key < $1.key }
    var members: [(key: String, value: JSONValue)] = [
      ("__metadata__", .object(text.map { (key: $0.key, value: .string($0.value)) }))
    ]
    var offset = 0
    for tensor in ordered {
      let end = offset + tensor.bytes.count
      let entry: JSONValue = [
        "dtype": .string(tensor.elementType.rawValue),
        "shape": .array(tensor.shape.map { .integer($0) }),
        "data_offsets": [.integer(offset), .integer(end)],
      ]
      members.append((tensor.name, entry))
      offset = end
    }
    var header = Array(JSONValue.object(members).description.utf8)
    header += [UInt8](repeating: UInt8(ascii: " "), count: -header.count & 7)
    guard header.count <= Self.largestHeader else {
      throw .unsupported(
        path: source,
        problem: "its header would have \(header.count) bytes, but the format allows at most \(Self.largestHeader)",
        fix: "save fewer tensors or less metadata in one file")
    }

    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.count + offset)
    LittleEndian.append(UInt64(header.count), to: &bytes)
    bytes += header
    for tensor in ordered { bytes += tensor.bytes }
    return bytes
  }

  /// Writes the file with checksums. A file at `path` is replaced atomically (see `DurableFile`).
  ///
  /// - Throws: `FlowIOError.system`; `.unsupported` if the header is larger than the format allows.
  public func write(to path: String) throws(FlowIOError) {
    try DurableFile.write(path, serialized())
  }
}
