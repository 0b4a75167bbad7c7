/// The checksums this project adds to `__metadata__`, which other readers see as text of no meaning to them.
///
/// Each value is a CRC-32C as eight lower-case hexadecimal digits, but for the count:
///
/// - `crc32c.tensor.<name>`: of the bytes of that tensor;
/// - `crc32c.tensors`: how many tensors there are, in decimal;
/// - `crc32c.header`: of what the header says. That is the compact JSON text
///   `{"metadata":{…},"tensors":{"<name>":["<dtype>",[<shape>]],…}}` in UTF-8, with keys sorted by their bytes and the
///   metadata complete but for `crc32c.header` itself.
///
/// The header's checksum is that of its meaning, not of its text: another program may load a file and save the same
/// tensors and metadata in another order, and the file stays valid. What the meaning leaves out, the format checks: an
/// offset off by anything makes a hole or an overlap. If any key begins with `crc32c.` all of them have to be there,
/// so that a flipped bit in a key does not switch the checking off.
enum SafetensorsChecksums {
  static let prefix = "crc32c."
  static let headerKey = "crc32c.header"
  private static let countKey = "crc32c.tensors"
  private static let tensorPrefix = "crc32c.tensor."

  /// The metadata of a file together with all checksums.
  static func adding(to metadata: [String: String], of tensors: [SafetensorsTensor]) -> [String: String] {
    var complete = removed(from: metadata)
    complete[countKey] = String(tensors.count)
    for tensor in tensors {
      complete[tensorPrefix + tensor.name] = digits(CRC32C.checksum(tensor.bytes))
    }
    complete[headerKey] = headerChecksum(metadata: complete, tensors: tensors)
    return complete
  }

  /// The metadata that is not checksums.
  static func removed(from metadata: [String: String]) -> [String: String] {
    metadata.filter { !$0.key.hasPrefix(prefix) }
  }

  /// What of a file just read contradicts its checksums; nil when they hold, or when there are none.
  static func contradiction(in metadata: [String: String], of tensors: [SafetensorsTensor]) -> String? {
    guard metadata.keys.contains(where: { $0.hasPrefix(prefix) }) else { return nil }
    guard metadata[headerKey] == headerChecksum(metadata: metadata, tensors: tensors) else {
      return "the header does not match its checksum"
    }
    guard metadata[countKey] == String(tensors.count) else {
      return "the number of tensors does not match its record"
    }
    for tensor in tensors where metadata[tensorPrefix + tensor.name] != digits(CRC32C.checksum(tensor.bytes)) {
      return "tensor '\(tensor.name)' does not match its checksum"
    }
    return nil
  }

  private static func headerChecksum(metadata: [String: String], tensors: [SafetensorsTensor]) -> String {
    let text = metadata.filter { $0.key != headerKey }.sorted { precedes($0.key, $1.key) }
    let meaning: JSONValue = [
      "metadata": .object(text.map { (key: $0.key, value: .string($0.value)) }),
      "tensors": .object(
        tensors.sorted { precedes($0.name, $1.name) }.map { tensor in
          let shape = JSONValue.array(tensor.shape.map { .integer($0) })
          return (key: tensor.name, value: [.string(tensor.elementType.rawValue), shape])
        }),
    ]
    return digits(CRC32C.checksum(Array(meaning.description.utf8)))
  }

  private static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  private static func digits(_ checksum: UInt32) -> String {
    let digits = String(checksum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
