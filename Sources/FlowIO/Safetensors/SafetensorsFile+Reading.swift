extension SafetensorsFile {
  /// Reads the file at `path` and verifies its checksums, if it has any.
  ///
  /// - Throws: `FlowIOError.missingFile`, `.system`; `.malformed` for a file that is damaged, cut short or of another
  ///   format; `.unsupported` for an element type that the format does not define.
  public init(path: String) throws(FlowIOError) {
    try self.init(bytes: FileBytes.read(path), source: path)
  }

  /// Reads the bytes of a file. Error messages call the file `source`.
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
    // An empty tensor begins where the next one does, so the end decides; of several empty ones, the order in the
    // header does (the sort is stable).
    entries.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }

    var tensors: [SafetensorsTensor] = []
    var end = 0
    for entry in entries {
      guard entry.begin == end else {
        throw Self.damaged(
          source, "the data of tensor '\(entry.name)' begins at byte \(entry.begin) instead of \(end)")
      }
      end = entry.end
      let range = (8 + headerSize + entry.begin)..<(8 + headerSize + entry.end)
      tensors.append(
        SafetensorsTensor(
          name: entry.name, elementType: entry.elementType, shape: entry.shape, bytes: Array(bytes[range])))
    }
    guard end == dataSize else {
      throw Self.damaged(source, "its tensors take \(end) bytes, but \(dataSize) bytes follow the header")
    }
    if let mismatch = SafetensorsChecksums.mismatch(in: metadata, of: tensors) {
      throw Self.damaged(source, mismatch)
    }
    self.init(tensors: tensors, metadata: SafetensorsChecksums.removed(from: metadata), source: source)
  }

  static func damaged(_ source: String, _ problem: String) -> FlowIOError {
    .malformed(
      path: source, problem: "the safetensors file is damaged: \(problem)",
      fix: "copy the file again, or use an earlier checkpoint")
  }

  private static func headerSize(of bytes: [UInt8], source: String) throws(FlowIOError) -> Int {
    guard bytes.count >= 8 else {
      throw damaged(source, "it has \(bytes.count) bytes, and the size of the header alone takes 8")
    }
    let size = LittleEndian.load(UInt64.self, from: bytes, at: 0)
    guard size <= UInt64(largestHeader) else {
      throw damaged(source, "its header should have \(size) bytes, but the format allows at most \(largestHeader)")
    }
    guard size <= UInt64(bytes.count - 8) else {
      throw damaged(
        source, "its header should have \(size) bytes, but the file ends after \(bytes.count - 8) of them")
    }
    guard size >= 2 else { throw damaged(source, "its header should have \(size) bytes, but a header has 2 or more") }
    return Int(size)
  }

  private static func metadata(_ value: JSONValue, source: String) throws(FlowIOError) -> [String: String] {
    guard let members = value.members else { throw damaged(source, "its metadata is not a JSON object") }
    var metadata: [String: String] = [:]
    for (key, value) in members {
      guard let text = value.text else { throw damaged(source, "its metadata '\(key)' is not text") }
      metadata[key] = text
    }
    return metadata
  }
}
