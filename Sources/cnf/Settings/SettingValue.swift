import ContinuousFlows
import Yams

/// Why a text is not a value of a setting.
enum ValueError: Error {
  /// The text is another thing than the value must be, such as "a whole number".
  case mustBe(String)
  /// A word that is not known, and what to do about it.
  case unknown(fix: String)
  /// A whole sentence of its own.
  case sentence(String)
}

/// What a setting can hold. A flag and a YAML file write a value as the same text.
protocol SettingValue: Equatable, Sendable {
  init(text: String) throws(ValueError)

  /// The value as flags, messages and `config.yaml` write it.
  var text: String { get }
  /// The value in YAML.
  var node: Node { get throws }
  /// What help calls the value, such as "count".
  static var placeholder: String { get }
  /// The words that it may be, for help and suggestions; empty for numbers and the like.
  static var words: [String] { get }
  /// Whether a value may begin with a dash, as a negative number does.
  static var mayBeginWithDash: Bool { get }
}

extension SettingValue {
  var node: Node { get throws { try text.represented() } }
  static var placeholder: String { "name" }
  static var words: [String] { [] }
  static var mayBeginWithDash: Bool { false }
}

// MARK: Numbers

/// A number. Its text is the shortest that gives it back.
protocol SettingNumber: SettingValue, CustomStringConvertible {}

extension SettingNumber {
  var text: String { description }
  var node: Node { Node(text) }
  static var mayBeginWithDash: Bool { true }
}

extension Int: SettingNumber {
  init(text: String) throws(ValueError) {
    guard let value = Int(text, radix: 10) ?? Node(text).int else { throw .mustBe("a whole number") }
    self = value
  }

  static var placeholder: String { "count" }
}

extension UInt64: SettingNumber {
  init(text: String) throws(ValueError) {
    guard let value = UInt64(text, radix: 10) else { throw .mustBe("a whole number, 0 or above") }
    self = value
  }

  static var placeholder: String { "number" }
}

extension Double: SettingNumber {
  init(text: String) throws(ValueError) {
    guard let value = Double(text) ?? Node(text).float else { throw .mustBe("a number") }
    self = value
  }

  static var placeholder: String { "number" }
}

extension Bool: SettingValue {
  init(text: String) throws(ValueError) {
    guard let value = Node(text).bool else { throw .mustBe("true or false") }
    self = value
  }

  var text: String { description }
  var node: Node { Node(text) }
}

/// Widths of layers: `64,64` after a flag, `[64, 64]` in YAML; `none` for no layer.
extension [Int]: SettingValue {
  init(text: String) throws(ValueError) {
    let isBracketed = text.first == "[" && text.last == "]"
    let list = isBracketed ? text.dropFirst().dropLast() : text[...]
    guard list != "none", !(isBracketed && list.isEmpty) else {
      self = []
      return
    }
    let parts = list.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in Int(part.drop { $0 == " " }) }
    guard numbers.count == parts.count else { throw .mustBe("whole numbers such as 64,64, or none") }
    self = numbers
  }

  var text: String { description }
  var node: Node { .sequence(Node.Sequence(map(\.node), .implicit, .flow)) }
  static var placeholder: String { "widths" }
  static var mayBeginWithDash: Bool { true }
}

// MARK: Words

extension String: SettingValue {
  init(text: String) { self = text }
  var text: String { self }
}

/// A value that is one word of a list.
protocol SettingWord: SettingValue {
  /// Every value with its word.
  static var table: [(word: String, value: Self)] { get }
}

extension SettingWord {
  init(text: String) throws(ValueError) {
    guard let row = Self.table.first(where: { $0.word == text }) else {
      throw .unknown(fix: Suggestion.sentence(for: text, among: Self.words))
    }
    self = row.value
  }

  var text: String { Self.table.first { $0.value == self }?.word ?? "" }
  static var words: [String] { table.map(\.word) }
}

extension SettingWord where Self: CaseIterable & RawRepresentable<String> {
  static var table: [(word: String, value: Self)] { allCases.map { ($0.rawValue, $0) } }
}
