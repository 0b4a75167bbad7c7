import ContinuousFlows

/// Help that a declaration implies: the words that a value may be, the default, and who uses the setting.
extension SettingDeclaration {
  /// The whole help of the flag; nil: the setting has none.
  ///
  /// - Parameter standard: the default to state; nil: that of the declaration.
  func fullHelp(default standard: String? = nil) -> String? {
    guard let help else { return nil }
    let choice = words.isEmpty || help.contains(words[0]) ? nil : "One of \(words.joined(separator: ", "))."
    let standard = (standard ?? defaultHelp).map { "(default: \($0))" }
    return [help, choice, useHelp, standard].compactMap { $0 }.joined(separator: " ")
  }

  /// Which models and objectives use the setting; nil: all do.
  private var useHelp: String? {
    var parts: [String] = []
    if let feature = use.model {
      let users = ModelKind.all.filter { $0.features.contains(feature) }.map(\.word)
      let others = ModelKind.all.filter { !$0.features.contains(feature) }.map(\.word)
      parts.append(
        users.count <= others.count
          ? "Only for --model \(Settings.list(users, "or"))." : "Not for --model \(Settings.list(others, "or")).")
    }
    if let feature = use.objective {
      let users = Objective.allCases.filter { $0.features.contains(feature) }.map(\.rawValue)
      parts.append("Only for --objective \(Settings.list(users, "or")).")
    }
    if let companion = use.companion {
      parts.append("Only with --\(companion.key) \(Settings.list(companion.words, "or")).")
    }
    return parts.isEmpty ? nil : parts.joined(separator: " ")
  }

  /// The default, with those of other models and of the digits; nil: there is none.
  private var defaultHelp: String? {
    let users = SettingsDefaults.models.filter { kind, _ in use.model.map { kind.features.contains($0) } ?? true }
    guard let first = users.first, key != SettingsRegistry.shared.data.key else { return nil }
    let usual = Self.named(first.settings[key: key], zero: zero)
    guard key != SettingsRegistry.shared.model.key else { return usual }
    var others: [(value: String, who: [String])] = []
    for (who, settings) in [("digits", SettingsDefaults.digits)] + users.map({ ($0.kind.word, $0.settings) }) {
      let value = Self.named(settings[key: key], zero: zero)
      guard value != usual, who != "digits" || first.kind == .flow else { continue }
      if let index = others.firstIndex(where: { $0.value == value }) {
        others[index].who.append(who)
      } else {
        others.append((value, [who]))
      }
    }
    return ([usual] + others.map { "\($0.value) for \(Settings.list($0.who))" }).joined(separator: "; ")
  }

  private static func named(_ value: any SettingValue, zero: String?) -> String {
    if let number = value as? Double { return number == 0 && zero != nil ? "0 = \(zero!)" : short(number) }
    if let number = value as? Int { return number == 0 && zero != nil ? "0 = \(zero!)" : "\(number)" }
    if let widths = value as? [Int] { return widths.isEmpty ? "none" : widths.map(\.text).joined(separator: ",") }
    return value.text
  }

  private static func short(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e6 ? "\(Int(number))" : "\(number)"
  }
}

/// Defaults to quote in help.
private enum SettingsDefaults {
  private static let planar = DatasetSource.file(path: "")
  static let digits = Settings(defaultsFor: .digits)
  static let models = ModelKind.all.map { (kind: $0, settings: Settings(defaultsFor: planar, model: $0)) }
}
