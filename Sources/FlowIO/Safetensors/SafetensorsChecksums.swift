/// The checksums that this project adds to the `__metadata__` of a safetensors file. Other readers ignore them.
///
/// Each checksum is a CRC-32C as eight lower-case hexadecimal digits. The keys are:
///
/// - `crc32c.tensor.<name>`: the checksum of the bytes of that tensor;
/// - `crc32c.tensors`: the number of tensors, in decimal;
/// - `crc32c.header`: the checksum of the content of the header. This content is the compact JSON text
///   `{"metadata":{…},"tensors":{"<name>":["<dtype>",[<shape>]],…}}` in UTF-8, with keys sorted by their bytes and all
///   metadata except `crc32c.header` itself.
///
/// The header's checksum covers its content and not its exact text. So another program may load a file and save the
/// same tensors and metadata in another order, and the file stays valid. The content leaves out the data offsets, which
/// the format itself checks: a wrong offset makes a gap or an overlap. If any key begins with `crc32c.`, all of these
/// keys are required, so a flipped bit in a key does not disable the check.
enum SafetensorsChecksums {
  static let prefix = "crc32c."
  static let headerKey = "crc32c.header"
  private static let countKey = "crc32c.tensors"
  private static let tensorPrefix = "crc32c.tensor."

  /// `metadata` with all checksums added.
  static func adding(to metadata: [String: String], of tensors: [SafetensorsTensor]) -> [String: String] {
    var complete = removed(from: metadata)
    complete[countKey] = String(tensors.count)
    for tensor in tensors {
      complete[tensorPrefix + tensor.name] = digits(CRC32C.checksum(tensor.bytes))
    }
    complete[headerKey] = headerChecksum(metadata: complete, tensors: tensors)
    return complete
  }

  /// `metadata` without the checksums.
  static func removed(from metadata: [String: String]) -> [String: String] {
    metadata.filter { !$0.key.hasPrefix(prefix) }
  }

  /// The first mismatch between the content of a file and its checksums, as a phrase for an error message. Nil if all
  /// match, or if the file has no checksums.
  static func mismatch(in metadata: [String: String], of tensors: [SafetensorsTensor]) -> String? {
    guard metadata.keys.contains(where: { $0.hasPrefix(prefix) }) else { return nil }
    guard metadata[headerKey] == headerChecksum(metadata: metadata, tensors: tensors) else {
      return "the header does not match its checksum"
    }
    guard metadata[countKey] == String(tensors.count) else {
      return "it has \(tensors.count) tensors, which is not the number in its metadata"
    }
    for tensor in tensors where metadata[tensorPrefix + tensor.name] != digits(CRC32C.checksum(tensor.bytes)) {
      return "tensor '\(tensor.name)' does not match its checksum"
    }
    return nil
  }

  private static func headerChecksum(metadata: [String: String], tensors: [SafetensorsTensor]) -> String {
    let text = metadata.filter { $0.key != headerKey }.sorted { precedes($0.key, $1.key) }
    let content: JSONValue = [
      "metadata": .object(text.map { (key: $0.key, value: .string($0.value)) }),
      "tensors": .object(
        tensors.sorted { precedes($0.name, $1.name) }.map { tensor in
          let shape = JSONValue.array(tensor.shape.map { .integer($0) })
          return (key: tensor.name, value: [.string(tensor.elementType.rawValue), shape])
        }),
    ]
    return digits(CRC32C.checksum(Array(content.description.utf8)))
  }

  private static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  private static func digits(_ checksum: UInt32) -> String {
    let digits = String(checksum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
