extension SafetensorsFile {
  /// Reads the file at `path` and verifies its checksums, if it has any.
  ///
  /// - Throws: `FlowIOError.missingFile`, `.system`, `.malformed` for a file that is damaged, cut short or of another
  ///   format, `.unsupported` for element types the format does not define.
  public init(path: String) throws(FlowIOError) {
    try self.init(bytes: FileBytes.read(path), source: path)
  }

  /// Reads the bytes of a file; `source` is what messages call it.
  public init(bytes: [UInt8], source: String) throws(FlowIOError) {
    let headerSize = try Self.headerSize(of: bytes, source: source)
    let header: JSONValue
    do {
      header = try JSONValue(parsing: Array(bytes[8..<8 + headerSize]))
    } catch {
      throw Self.damaged(source, "the header \(error)")
    }
    guard bytes[8] == UInt8(ascii: "{"), let members = header.members else {
      throw Self.damaged(source, "the header does not begin with '{'")
    }

    var metadata: [String: String] = [:]
    var entries: [SafetensorsEntry] = []
    let dataSize = bytes.count - 8 - headerSize
    for (name, value) in members {
      if name == "__metadata__" {
        metadata = try Self.metadata(value, source: source)
      } else {
        entries.append(try SafetensorsEntry(name: name, value, dataSize: dataSize, source: source))
      }
    }
    // Empty tensors share their offset with the next one: by their end, then as in the header (the sort is stable).
    entries.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }

    var tensors: [SafetensorsTensor] = []
    var end = 0
    for entry in entries {
      guard entry.begin == end else {
        throw Self.damaged(
          source, "the data of tensor '\(entry.name)' begins at \(entry.begin) where \(end) is expected")
      }
      end = entry.end
      let range = (8 + headerSize + entry.begin)..<(8 + headerSize + entry.end)
      tensors.append(
        SafetensorsTensor(
          name: entry.name, elementType: entry.elementType, shape: entry.shape, bytes: Array(bytes[range])))
    }
    guard end == dataSize else {
      throw Self.damaged(source, "the tensors take \(end) bytes where \(dataSize) bytes follow the header")
    }
    if let contradiction = SafetensorsChecksums.contradiction(in: metadata, of: tensors) {
      throw Self.damaged(source, contradiction)
    }
    self.init(tensors: tensors, metadata: SafetensorsChecksums.removed(from: metadata), source: source)
  }

  static func damaged(_ source: String, _ problem: String) -> FlowIOError {
    .malformed(
      path: source, problem: "not a whole safetensors file, \(problem)",
      mend: "copy it again from its origin, or use an earlier checkpoint")
  }

  private static func headerSize(of bytes: [UInt8], source: String) throws(FlowIOError) -> Int {
    guard bytes.count >= 8 else {
      throw damaged(source, "it has only \(bytes.count) bytes")
    }
    let size = LittleEndian.load(UInt64.self, from: bytes, at: 0)
    guard size <= UInt64(largestHeader) else {
      throw damaged(source, "it claims a header of \(size) bytes where the format allows \(largestHeader)")
    }
    guard size <= UInt64(bytes.count - 8) else {
      throw damaged(source, "it claims a header of \(size) bytes and ends after \(bytes.count - 8)")
    }
    guard size >= 2 else { throw damaged(source, "it claims a header of \(size) bytes") }
    return Int(size)
  }

  private static func metadata(_ value: JSONValue, source: String) throws(FlowIOError) -> [String: String] {
    guard let members = value.members else { throw damaged(source, "its metadata is not an object") }
    var metadata: [String: String] = [:]
    for (key, value) in members {
      guard let text = value.text else { throw damaged(source, "its metadata '\(key)' is not text") }
      metadata[key] = text
    }
    return metadata
  }
}
