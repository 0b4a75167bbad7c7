/// When a setting has an effect. Elsewhere it is refused.
struct SettingUse: Sendable {
  /// Of models that have this.
  var model: ModelFeature?
  /// With objectives that have this.
  var objective: ObjectiveFeature?
  /// With certain values of another setting.
  var companion: Companion?

  /// Another setting, and its values that give this one an effect.
  struct Companion: Sendable {
    let key: String
    let words: [String]
  }

  static let always = SettingUse()

  static func models(_ feature: ModelFeature) -> SettingUse { SettingUse(model: feature) }

  static func objectives(_ feature: ObjectiveFeature) -> SettingUse { SettingUse(objective: feature) }

  /// Where `key` is one of `values`.
  static func when<Value: SettingValue>(_ key: String, is values: [Value]) -> SettingUse {
    SettingUse(companion: Companion(key: key, words: values.map(\.text)))
  }

  /// Where both hold.
  func and(_ other: SettingUse) -> SettingUse {
    SettingUse(
      model: model ?? other.model, objective: objective ?? other.objective, companion: companion ?? other.companion)
  }
}
