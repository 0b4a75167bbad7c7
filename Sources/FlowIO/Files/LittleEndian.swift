/// Conversion between fixed-width integers and little-endian bytes.
///
/// Floating-point numbers are converted as the integers that have their bit patterns.
enum LittleEndian {
  /// The integer at `offset`.
  ///
  /// - Precondition: `offset + MemoryLayout<Integer>.size <= bytes.count`.
  static func load<Integer: FixedWidthInteger>(_ type: Integer.Type, from bytes: [UInt8], at offset: Int) -> Integer {
    bytes.withUnsafeBytes { Integer(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) }
  }

  /// The `count` integers that begin at byte `offset`, each passed through `transform`.
  ///
  /// - Precondition: `offset + count * MemoryLayout<Integer>.size <= bytes.count`.
  @inline(__always)
  static func map<Integer: FixedWidthInteger, Result>(
    _ bytes: [UInt8], from offset: Int, count: Int, as type: Integer.Type, _ transform: (Integer) -> Result
  ) -> [Result] {
    let width = MemoryLayout<Integer>.size
    precondition(
      offset >= 0 && count >= 0 && count <= (bytes.count - offset) / width,
      "\(count) elements of \(width) bytes at offset \(offset) reach beyond the end of \(bytes.count) bytes")
    return bytes.withUnsafeBytes { buffer in
      [Result](unsafeUninitializedCapacity: count) { results, initialized in
        for index in 0..<count {
          let element = buffer.loadUnaligned(fromByteOffset: offset + index * width, as: type)
          results.initializeElement(at: index, to: transform(Integer(littleEndian: element)))
        }
        initialized = count
      }
    }
  }

  /// The bytes of `elements`, each converted to an integer by `transform`.
  @inline(__always)
  static func bytes<Element, Integer: FixedWidthInteger>(
    of elements: [Element], _ transform: (Element) -> Integer
  ) -> [UInt8] {
    let width = MemoryLayout<Integer>.size
    return [UInt8](unsafeUninitializedCapacity: elements.count * width) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      for (index, element) in elements.enumerated() {
        raw.storeBytes(of: transform(element).littleEndian, toByteOffset: index * width, as: Integer.self)
      }
      initialized = elements.count * width
    }
  }

  static func append<Integer: FixedWidthInteger>(_ value: Integer, to bytes: inout [UInt8]) {
    for place in 0..<MemoryLayout<Integer>.size {
      bytes.append(UInt8(truncatingIfNeeded: value >> Integer(8 * place)))
    }
  }
}
