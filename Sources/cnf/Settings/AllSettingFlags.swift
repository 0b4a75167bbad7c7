import ArgumentParser

/// The flags of every setting, a heading of help for each section.
struct AllSettingFlags: ParsableArguments {
  @OptionGroup(title: DataSettings.title) private var data: SettingFlags<DataSettings>
  @OptionGroup(title: ModelSettings.title) private var model: SettingFlags<ModelSettings>
  @OptionGroup(title: OutputModelSettings.title) private var outputs: SettingFlags<OutputModelSettings>
  @OptionGroup(title: ObjectiveSettings.title) private var objective: SettingFlags<ObjectiveSettings>
  @OptionGroup(title: OptimiserSettings.title) private var optimiser: SettingFlags<OptimiserSettings>
  @OptionGroup(title: SolverSettings.title) private var solver: SettingFlags<SolverSettings>
  @OptionGroup(title: EvaluationSettings.title) private var evaluation: SettingFlags<EvaluationSettings>
  @OptionGroup(title: RunSettings.title) private var run: SettingFlags<RunSettings>
  @OptionGroup(title: MachineSettings.title) private var machine: SettingFlags<MachineSettings>

  /// What was given.
  var layer: SettingsLayer {
    get throws {
      try [
        data.layer, model.layer, outputs.layer, objective.layer, optimiser.layer, solver.layer, evaluation.layer,
        run.layer, machine.layer,
      ].reduce(SettingsLayer()) { $0.overlaid(with: $1) }
    }
  }

  /// The settings of a new run: flags over the config file over defaults.
  func resolved(config: String?) throws -> Settings {
    let file = try config.map { try SettingsLayer(contentsOf: $0) } ?? SettingsLayer()
    return try file.overlaid(with: layer).resolved()
  }
}
