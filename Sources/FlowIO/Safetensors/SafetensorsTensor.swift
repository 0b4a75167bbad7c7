/// A named array of a safetensors file.
public struct SafetensorsTensor: Equatable, Sendable {
  public let name: String
  public let elementType: SafetensorsElementType
  /// The extents, outermost first. A scalar has none; an extent may be 0.
  public let shape: [Int]
  /// The elements in C order (the last index varies fastest), little-endian.
  public let bytes: [UInt8]

  /// A tensor of any type.
  ///
  /// - Precondition: the number of bytes is the one that `shape` and `elementType` imply.
  public init(name: String, elementType: SafetensorsElementType, shape: [Int], bytes: [UInt8]) {
    precondition(
      elementType.byteCount(shape: shape) == bytes.count,
      "\(bytes.count) bytes do not make tensor '\(name)' of shape \(shape) and type \(elementType.rawValue)")
    self.name = name
    self.elementType = elementType
    self.shape = shape
    self.bytes = bytes
  }

  /// An `F32` tensor of `values` in C order.
  public init(name: String, shape: [Int], floats values: [Float]) {
    let bytes = LittleEndian.bytes(of: values) { $0.bitPattern }
    self.init(name: name, elementType: .float32, shape: shape, bytes: bytes)
  }

  /// An `F64` tensor of `values` in C order.
  public init(name: String, shape: [Int], doubles values: [Double]) {
    let bytes = LittleEndian.bytes(of: values) { $0.bitPattern }
    self.init(name: name, elementType: .float64, shape: shape, bytes: bytes)
  }

  /// An `I64` tensor of `values` in C order.
  public init(name: String, shape: [Int], integers values: [Int]) {
    let bytes = LittleEndian.bytes(of: values) { Int64($0) }
    self.init(name: name, elementType: .signed64, shape: shape, bytes: bytes)
  }

  /// The number of elements.
  public var count: Int { bytes.count * 8 / elementType.bitWidth }

  /// The elements in C order as floats: exact from `F16`, `BF16` and `F32`, rounded from `F64`, nil for other types.
  public func floats() -> [Float]? {
    switch elementType {
    case .float16: map(UInt16.self, Self.half)
    case .bfloat16: map(UInt16.self, Self.brain)
    case .float32: map(UInt32.self, Float.init(bitPattern:))
    case .float64: map(UInt64.self) { Float(Double(bitPattern: $0)) }
    default: nil
    }
  }

  /// The elements in C order as doubles: exact from `F16`, `BF16`, `F32` and `F64`, nil for other types.
  public func doubles() -> [Double]? {
    switch elementType {
    case .float16: map(UInt16.self) { Double(Self.half($0)) }
    case .bfloat16: map(UInt16.self) { Double(Self.brain($0)) }
    case .float32: map(UInt32.self) { Double(Float(bitPattern: $0)) }
    case .float64: map(UInt64.self, Double.init(bitPattern:))
    default: nil
    }
  }

  /// The elements in C order as integers; nil if the type is not an integer type, or if an element of a `U64` tensor is
  /// beyond 2⁶³ - 1.
  public func integers() -> [Int]? {
    switch elementType {
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
    default: return nil
    }
  }

  @inline(__always)
  private func map<Integer: FixedWidthInteger, Result>(
    _ type: Integer.Type, _ transform: (Integer) -> Result
  ) -> [Result] {
    LittleEndian.map(bytes, from: 0, count: count, as: type, transform)
  }

  /// bfloat16 is the upper half of a float.
  private static func brain(_ bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  /// IEEE binary16: 1 sign bit, 5 exponent bits with bias 15, 10 fraction bits. It is decoded here because Swift lacks
  /// `Float16` on some platforms.
  private static func half(_ bits: UInt16) -> Float {
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = UInt32(bits & 0x3FF)
    let magnitude: Float
    switch exponent {
    case 0: magnitude = Float(fraction) * 0x1p-24
    case 0x1F: magnitude = Float(bitPattern: 0x7F80_0000 | fraction << 13)
    default: magnitude = Float(bitPattern: UInt32(exponent - 15 + 127) << 23 | fraction << 13)
    }
    return bits >> 15 == 1 ? -magnitude : magnitude
  }
}
