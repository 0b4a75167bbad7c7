/// A parser of the Python literals that npy headers contain: dictionaries with text keys, tuples, lists, text without
/// escapes, integers, `True` and `False`.
struct PythonLiteralParser {
  /// The deepest nesting accepted. NumPy's deepest header is a dictionary of a list of tuples of tuples.
  private static let maximumDepth = 16

  private var rest: ArraySlice<UInt8>

  init(_ text: ArraySlice<UInt8>) {
    rest = text
  }

  /// The one literal of the text, or nil if the text is anything else.
  mutating func parse() -> PythonLiteral? {
    guard let literal = literal(depth: 0) else { return nil }
    skipSpace()
    return rest.isEmpty ? literal : nil
  }

  private mutating func literal(depth: Int) -> PythonLiteral? {
    guard depth < Self.maximumDepth else { return nil }
    skipSpace()
    guard let first = rest.first else { return nil }
    switch first {
    case UInt8(ascii: "{"): return dictionary(depth: depth)
    case UInt8(ascii: "("): return elements(until: ")", depth: depth).map { .tuple($0) }
    case UInt8(ascii: "["): return elements(until: "]", depth: depth).map { .list($0) }
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "T"): return take("True") ? .boolean(true) : nil
    case UInt8(ascii: "F"): return take("False") ? .boolean(false) : nil
    default: return integer()
    }
  }

  private mutating func dictionary(depth: Int) -> PythonLiteral? {
    rest.removeFirst()
    var members: [(key: String, value: PythonLiteral)] = []
    while true {
      skipSpace()
      if take("}") { return .dictionary(members) }
      guard let key = string() else { return nil }
      skipSpace()
      guard take(":"), let value = literal(depth: depth + 1) else { return nil }
      members.append((key, value))
      skipSpace()
      if !take(",") { return take("}") ? .dictionary(members) : nil }
    }
  }

  /// The elements of a tuple or list whose opening bracket comes next. A comma after the last element is allowed.
  private mutating func elements(until close: StaticString, depth: Int) -> [PythonLiteral]? {
    rest.removeFirst()
    var elements: [PythonLiteral] = []
    while true {
      skipSpace()
      if take(close) { return elements }
      guard let element = literal(depth: depth + 1) else { return nil }
      elements.append(element)
      skipSpace()
      if !take(",") { return take(close) ? elements : nil }
    }
  }

  private mutating func string() -> String? {
    guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    rest.removeFirst()
    guard let end = rest.firstIndex(of: quote) else { return nil }
    let text = String(decoding: rest[..<end], as: UTF8.self)
    rest = rest[(end + 1)...]
    return text.contains("\\") ? nil : text
  }

  /// An integer without sign. Python 2 appended an L to some of them.
  private mutating func integer() -> PythonLiteral? {
    let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard let value = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    rest = rest[digits.endIndex...]
    _ = take("L")
    return .integer(value)
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let utf8 = Array(word.description.utf8)
    guard rest.starts(with: utf8) else { return false }
    rest = rest.dropFirst(utf8.count)
    return true
  }

  private mutating func skipSpace() {
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
  }
}
