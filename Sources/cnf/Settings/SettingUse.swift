/// When a setting has an effect. Otherwise it is refused.
struct SettingUse: Sendable {
  /// The feature that a model needs; nil: none.
  var model: ModelFeature?
  /// The feature that an objective needs; nil: none.
  var objective: ObjectiveFeature?
  /// The setting that needs certain values; nil: none.
  var companion: Companion?

  /// Another setting, and its values that give this one an effect.
  struct Companion: Sendable {
    let key: String
    let words: [String]
  }

  static let always = SettingUse()

  static func models(_ feature: ModelFeature) -> SettingUse { SettingUse(model: feature) }

  static func objectives(_ feature: ObjectiveFeature) -> SettingUse { SettingUse(objective: feature) }

  /// Only if the setting `key` has one of `values`.
  static func when<Value: SettingValue>(_ key: String, is values: [Value]) -> SettingUse {
    SettingUse(companion: Companion(key: key, words: values.map(\.text)))
  }

  /// Only if both hold.
  func and(_ other: SettingUse) -> SettingUse {
    SettingUse(
      model: model ?? other.model, objective: objective ?? other.objective, companion: companion ?? other.companion)
  }
}
