/// The flags of commands that look at a trained model. They have one solver: their `--solver` is `evaluation-solver`.
enum TrainedSolver: SettingFlagSource {
  private static let prefix = "evaluation-"

  /// The settings that can be given: those of evaluation, and those that training's solver shares with it.
  static let settings = SettingsRegistry.all.filter { setting in
    setting.key.hasPrefix(prefix) || setting.traits.contains(.servesEvaluation)
  }

  static var flags: [SettingFlag] { settings.flatMap { SettingFlag.flags(of: $0, name: shortName) } }

  /// What such commands call a setting.
  static func shortName(of key: String) -> String { key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : key }
}
