/// A strict parser of JSON (RFC 8259). It accepts no extensions of the grammar and no duplicate keys in an object.
///
/// JSON readers disagree about which of two duplicate keys counts, and the meaning of a checkpoint must be unambiguous.
struct JSONParser {
  /// The deepest nesting accepted. The parser is recursive, so a file of many brackets could overflow the stack.
  private static let maximumDepth = 128

  private let bytes: [UInt8]
  private var offset = 0

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The one value in `bytes`, with only white space before and after it.
  static func parse(_ bytes: [UInt8]) throws(JSONParseError) -> JSONValue {
    var parser = JSONParser(bytes)
    parser.skipSpace()
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.offset == bytes.count else { throw parser.error("has text after the end of the value") }
    return value
  }

  private func error(_ problem: String) -> JSONParseError {
    JSONParseError(problem: problem, offset: offset)
  }

  private var next: UInt8? {
    offset < bytes.count ? bytes[offset] : nil
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  /// Consumes `character`.
  ///
  /// - Throws: `JSONParseError` if another character comes next.
  private mutating func expect(_ character: Unicode.Scalar) throws(JSONParseError) {
    guard next == UInt8(ascii: character) else { throw error("is missing a '\(character)'") }
    offset += 1
  }

  /// Consumes `character` if it comes next, and returns whether it did.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONParseError) -> JSONValue {
    guard depth < Self.maximumDepth else { throw error("is nested more than \(Self.maximumDepth) levels deep") }
    guard let first = next else { throw error("ends where a value is expected") }
    switch first {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error("has a character that cannot begin a value")
    }
  }

  private mutating func object(depth: Int) throws(JSONParseError) -> JSONValue {
    var members: [(key: String, value: JSONValue)] = []
    var keys: Set<String> = []
    try expect("{")
    skipSpace()
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      let key = try string()
      guard keys.insert(key).inserted else { throw error("has the key '\(key)' twice") }
      skipSpace()
      try expect(":")
      skipSpace()
      members.append((key, try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    try expect("}")
    return .object(members)
  }

  private mutating func array(depth: Int) throws(JSONParseError) -> JSONValue {
    var elements: [JSONValue] = []
    try expect("[")
    skipSpace()
    if take("]") { return .array([]) }
    repeat {
      skipSpace()
      elements.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    try expect("]")
    return .array(elements)
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONParseError) -> JSONValue {
    for place in 0..<word.utf8CodeUnitCount {
      guard next == word.description.utf8.dropFirst(place).first else {
        throw error("has a word other than true, false and null")
      }
      offset += 1
    }
    return value
  }

  // MARK: Numbers

  private mutating func number() throws(JSONParseError) -> JSONValue {
    let start = offset
    var isInteger = true
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") {
      isInteger = false
      try digits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      try digits()
    }
    var literal = ""
    for index in start..<offset { literal.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
    // -0 becomes a floating-point number, because the integer 0 has no sign.
    if isInteger, literal != "-0", let integer = Int(literal) { return .integer(integer) }
    guard let number = Double(literal), number.isFinite else {
      throw error("has a number beyond the range of a double")
    }
    return .number(number)
  }

  private mutating func digits() throws(JSONParseError) {
    let start = offset
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { offset += 1 }
    guard offset > start else { throw error("is missing a digit") }
  }

  // MARK: Strings

  private mutating func string() throws(JSONParseError) -> String {
    try expect("\"")
    var units: [UInt8] = []
    while true {
      guard let byte = next else { throw error("ends inside a string") }
      offset += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: units, as: UTF8.self) else { throw error("has a string that is not UTF-8") }
        return text
      case UInt8(ascii: "\\"): units += Array(String(try escape()).utf8)
      case 0..<0x20: throw error("has a control character in a string")
      default: units.append(byte)
      }
    }
  }

  /// The character of an escape sequence, whose backslash has been consumed.
  private mutating func escape() throws(JSONParseError) -> Unicode.Scalar {
    guard let byte = next else { throw error("ends inside a string") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try hexadecimal()
      if let scalar = Unicode.Scalar(first) { return scalar }
      // A high surrogate has to be followed by a low one (RFC 8259, section 7).
      guard first < 0xDC00, take("\\"), take("u") else { throw error("has half a surrogate pair") }
      let second = try hexadecimal()
      guard (0xDC00..<0xE000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      else { throw error("has half a surrogate pair") }
      return scalar
    default: throw error("has an unknown escape in a string")
    }
  }

  private mutating func hexadecimal() throws(JSONParseError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("is missing a hexadecimal digit")
      }
      value = value << 4 | UInt32(digit)
      offset += 1
    }
    return value
  }
}
