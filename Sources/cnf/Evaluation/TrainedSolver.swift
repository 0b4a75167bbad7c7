/// The flags of commands that look at a trained model. They have one solver: their `--solver` is `evaluation-solver`.
enum TrainedSolver: SettingFlagSource {
  private static let prefix = "evaluation-"
  /// Settings of training's solver that evaluation shares.
  private static let shared = ["solver-max-steps", "controller", "norm", "probe", "probes"]

  /// The settings that can be given.
  static let settings = SettingsRegistry.all.filter { $0.key.hasPrefix(prefix) || shared.contains($0.key) }

  static var flags: [SettingFlag] { settings.flatMap { SettingFlag.flags(of: $0, name: shortName) } }

  /// What such commands call a setting.
  static func shortName(of key: String) -> String { key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : key }
}
