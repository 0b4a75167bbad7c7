import ContinuousFlows

/// The declaration of a setting of `cnf`, the only place that states rules about it. Its flag, its line in YAML, its
/// default, the check of its value, its help and its refusal where it has no effect all come from here.
struct Setting<Value: SettingValue>: Sendable {
  /// The name in the file, and the flag without its dashes.
  let key: String
  let standard: Value
  /// The default for the digits, if it is another.
  let digits: Value?
  let range: SettingRange<Value>
  let use: SettingUse
  let traits: Set<SettingTrait>
  let placeholder: String
  /// Settings that become 0 when this one is given, unless they are given too.
  let resets: [String]
  /// For a number of equal steps: the setting that gives their length instead.
  let stepLength: StepLength?
  /// Nil: no flag, since the program itself writes the value.
  let help: String?

  init(
    _ key: String, default standard: Value, digits: Value? = nil, _ range: SettingRange<Value> = .any,
    use: SettingUse = .always, traits: Set<SettingTrait> = [], placeholder: String = Value.placeholder,
    resets: [String] = [],
    stepLength: StepLength? = nil, help: String?
  ) {
    self.key = key
    self.standard = standard
    self.digits = digits
    self.range = range
    self.use = use
    self.traits = traits
    self.placeholder = placeholder
    self.resets = resets
    self.stepLength = stepLength
    self.help = help
  }
}

/// Something that holds for a few settings.
enum SettingTrait: Sendable {
  /// May change when a run is resumed.
  case changesOnResume
  /// Also applies to the solver of commands on a trained model.
  case servesEvaluation
}

/// A number of equal steps, given by their length.
struct StepLength: Sendable {
  let key: String
  let help: String

  /// The largest number of steps.
  static let mostSteps = 1_000_000

  /// How many steps of `length` there are from 0 to `endTime`; nil: no length, or more than `mostSteps`.
  static func steps(of length: Double, endTime: Double) -> Int? {
    guard length > 0, length.isFinite, endTime / length <= Double(mostSteps) else { return nil }
    // Slightly less than the quotient, so that 1 / 0.1 makes ten steps and not eleven.
    return max(1, Int((endTime / length - 1e-9).rounded(.up)))
  }
}

/// Which values a setting takes.
struct SettingRange<Value: SettingValue>: Sendable {
  /// Completes "must be ...".
  let words: @Sendable (Settings) -> String
  let contains: @Sendable (Value, Settings) -> Bool
  /// What 0 means, where it stands for something other than the number, such as "none".
  let zero: String?

  init(
    _ words: String, zero: String? = nil, contains: @escaping @Sendable (Value) -> Bool
  ) {
    let all = words + (zero.map { ", or 0 for \($0)" } ?? "")
    self.init(words: { _ in all }, zero: zero, contains: { value, _ in contains(value) })
  }

  /// A range that depends on other settings.
  init(
    words: @escaping @Sendable (Settings) -> String, zero: String? = nil,
    contains: @escaping @Sendable (Value, Settings) -> Bool
  ) {
    self.words = words
    self.contains = contains
    self.zero = zero
  }

  /// Every value of the type.
  static var any: SettingRange { SettingRange("anything") { _ in true } }
}

extension SettingRange<Int> {
  static func within(_ range: ClosedRange<Int>, zero: String? = nil) -> SettingRange {
    SettingRange("from \(range.lowerBound) to \(range.upperBound)", zero: zero) {
      range.contains($0) || zero != nil && $0 == 0
    }
  }

  /// 1 or more, below 2^31.
  static let positive = SettingRange("a positive whole number") { $0 > 0 && $0 < 1 << 31 }

  static func positive(zero: String) -> SettingRange { SettingRange("a positive whole number", zero: zero) { $0 >= 0 } }
}

extension SettingRange<Double> {
  static let positive = SettingRange("a positive number, such as 1e-3") { $0 > 0 && $0.isFinite }

  static func positive(zero: String) -> SettingRange {
    SettingRange("a positive number", zero: zero) { $0 >= 0 && $0.isFinite }
  }

  /// From 0 to below `bound`.
  static func below(_ bound: Double, suchAs example: String, zero: String) -> SettingRange {
    SettingRange("above 0 and below \(bound.formatted), such as \(example)", zero: zero) { (0..<bound).contains($0) }
  }
}

extension SettingRange<[Int]> {
  static let widths = SettingRange("widths from 1 to 65536") { $0.allSatisfy { 1...65_536 ~= $0 } }
}

extension Double {
  /// Without the fraction of a whole number.
  fileprivate var formatted: String { self == rounded() ? "\(Int(self))" : "\(self)" }
}

/// A setting of any type.
protocol SettingDeclaration: Sendable {
  var key: String { get }
  var help: String? { get }
  var use: SettingUse { get }
  var traits: Set<SettingTrait> { get }
  var placeholder: String { get }
  var resets: [String] { get }
  var stepLength: StepLength? { get }
  /// The words that a value may be; empty for numbers and the like.
  var words: [String] { get }
  /// Whether the flag takes no value: --key or --no-key.
  var isSwitch: Bool { get }
  var mayBeginWithDash: Bool { get }
  /// What 0 means, where it stands for something else.
  var zero: String? { get }

  /// The default of a data set, before the model changes it.
  func standard(for source: DatasetSource) -> any SettingValue
  func value(of text: String) throws(ValueError) -> any SettingValue
  /// What the value in `settings` must be instead; nil: it is in range.
  func allowed(in settings: Settings) -> String?
}

extension Setting: SettingDeclaration {
  var words: [String] { Value.words }
  var isSwitch: Bool { Value.self == Bool.self }
  var mayBeginWithDash: Bool { Value.mayBeginWithDash }
  var zero: String? { range.zero }

  func standard(for source: DatasetSource) -> any SettingValue {
    source == .digits ? digits ?? standard : standard
  }

  func value(of text: String) throws(ValueError) -> any SettingValue { try Value(text: text) }

  func allowed(in settings: Settings) -> String? {
    range.contains(settings[self], settings) ? nil : range.words(settings)
  }
}
