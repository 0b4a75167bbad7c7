/// An array that is read from or written to an npy file.
public struct NumPyArray: Equatable, Sendable {
  /// The extents, outermost first. A scalar has none; an extent may be 0.
  public let shape: [Int]
  public let elementType: NumPyElementType
  /// The elements in C order and little-endian, also if the file has another order.
  let bytes: [UInt8]

  /// - Precondition: the number of bytes is the one that `shape` and `elementType` imply.
  init(shape: [Int], elementType: NumPyElementType, bytes: [UInt8]) {
    precondition(
      Shape.elementCount(shape)?.multipliedReportingOverflow(by: elementType.byteWidth).partialValue == bytes.count,
      "\(bytes.count) bytes do not make an array of shape \(shape) and type \(elementType.rawValue)")
    (self.shape, self.elementType, self.bytes) = (shape, elementType, bytes)
  }

  /// An `f4` array of `values` in C order.
  public init(shape: [Int], floats values: [Float]) {
    self.init(shape: shape, elementType: .float32, bytes: LittleEndian.bytes(of: values) { $0.bitPattern })
  }

  /// An `f8` array of `values` in C order.
  public init(shape: [Int], doubles values: [Double]) {
    self.init(shape: shape, elementType: .float64, bytes: LittleEndian.bytes(of: values) { $0.bitPattern })
  }

  /// An `i8` (64-bit) array of `values` in C order.
  public init(shape: [Int], integers values: [Int]) {
    self.init(shape: shape, elementType: .signed64, bytes: LittleEndian.bytes(of: values) { Int64($0) })
  }

  /// A `u1` array of `values` in C order.
  public init(shape: [Int], bytes values: [UInt8]) {
    self.init(shape: shape, elementType: .unsigned8, bytes: values)
  }

  /// The number of elements.
  public var count: Int { bytes.count / elementType.byteWidth }

  /// Whether the elements are integers. Booleans count as integers, 0 and 1.
  public var isInteger: Bool { elementType.isInteger }

  /// The elements in C order as floats. Doubles and wide integers are rounded to nearest; doubles beyond the range of a
  /// float become infinite.
  public func floats() -> [Float] {
    switch elementType {
    case .boolean: map(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .signed8: map(Int8.self) { Float($0) }
    case .signed16: map(Int16.self) { Float($0) }
    case .signed32: map(Int32.self) { Float($0) }
    case .signed64: map(Int64.self) { Float($0) }
    case .unsigned8: map(UInt8.self) { Float($0) }
    case .unsigned16: map(UInt16.self) { Float($0) }
    case .unsigned32: map(UInt32.self) { Float($0) }
    case .unsigned64: map(UInt64.self) { Float($0) }
    case .float32: map(UInt32.self, Float.init(bitPattern:))
    case .float64: map(UInt64.self) { Float(Double(bitPattern: $0)) }
    }
  }

  /// The elements in C order as doubles. Integers beyond 2⁵³ are rounded to nearest.
  public func doubles() -> [Double] {
    switch elementType {
    case .boolean: map(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .signed8: map(Int8.self) { Double($0) }
    case .signed16: map(Int16.self) { Double($0) }
    case .signed32: map(Int32.self) { Double($0) }
    case .signed64: map(Int64.self) { Double($0) }
    case .unsigned8: map(UInt8.self) { Double($0) }
    case .unsigned16: map(UInt16.self) { Double($0) }
    case .unsigned32: map(UInt32.self) { Double($0) }
    case .unsigned64: map(UInt64.self) { Double($0) }
    case .float32: map(UInt32.self) { Double(Float(bitPattern: $0)) }
    case .float64: map(UInt64.self, Double.init(bitPattern:))
    }
  }

  /// The elements in C order as integers; nil for a floating-point array, and if an element is beyond 2⁶³ - 1.
  public func integers() -> [Int]? {
    switch elementType {
    case .boolean: return map(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .signed8: return map(Int8.self) { Int($0) }
    case .signed16: return map(Int16.self) { Int($0) }
    case .signed32: return map(Int32.self) { Int($0) }
    case .signed64: return map(Int64.self) { Int($0) }
    case .unsigned8: return map(UInt8.self) { Int($0) }
    case .unsigned16: return map(UInt16.self) { Int($0) }
    case .unsigned32: return map(UInt32.self) { Int($0) }
    case .unsigned64:
      let values = map(UInt64.self) { Int(truncatingIfNeeded: $0) }
      return values.contains { $0 < 0 } ? nil : values
    case .float32, .float64: return nil
    }
  }

  @inline(__always)
  private func map<Integer: FixedWidthInteger, Result>(
    _ type: Integer.Type, _ transform: (Integer) -> Result
  ) -> [Result] {
    LittleEndian.map(bytes, from: 0, count: count, as: type, transform)
  }
}
