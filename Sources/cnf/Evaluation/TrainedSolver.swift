/// The flags of commands that look at a trained model. They have one solver: their `--solver` is `evaluation-solver`.
enum TrainedSolver: SettingFlagSource {
  private static let prefix = "evaluation-"

  /// The settings that can be given: those of evaluation, and those that training's solver shares with it.
  static let settings =
    EvaluationSettings().declarations + SettingsRegistry.all.filter { $0.traits.contains(.servesEvaluation) }

  static var flags: [SettingFlag] {
    settings.flatMap { SettingFlag.flags(of: $0, name: shortName, default: "that of the run") }
  }

  /// What such commands call a setting.
  static func shortName(of key: String) -> String { key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : key }
}

/// The flags of the machine, for commands that look at a trained model.
enum TrainedMachine: SettingFlagSource {
  static var flags: [SettingFlag] {
    MachineSettings().declarations.flatMap { setting in
      SettingFlag.flags(
        of: setting,
        default: setting.key == SettingsRegistry.shared.seed.key ? "that of the run; 0 to sample" : "that of the run")
    }
  }
}
