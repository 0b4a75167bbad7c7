/// The element types that npy files may have here. The raw values are NumPy's names without the byte order.
public enum NumPyElementType: String, CaseIterable, Sendable {
  case boolean = "b1"
  case signed8 = "i1"
  case signed16 = "i2"
  case signed32 = "i4"
  case signed64 = "i8"
  case unsigned8 = "u1"
  case unsigned16 = "u2"
  case unsigned32 = "u4"
  case unsigned64 = "u8"
  case float32 = "f4"
  case float64 = "f8"

  /// The size of an element in bytes: the digit of its name.
  public var byteWidth: Int { rawValue.last!.wholeNumberValue! }

  /// Whether the elements are integers. Booleans count as integers, 0 and 1.
  public var isInteger: Bool { self != .float32 && self != .float64 }
}
