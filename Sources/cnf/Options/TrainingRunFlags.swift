import ArgumentParser

/// How often a run looks up from its work.
struct TrainingRunFlags: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("Steps between two validations.", valueName: "count"))
  var validationInterval: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("End after so many validations in a row without a better one; 0 for never.", valueName: "count"))
  var patience: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Steps between two checkpoints.", valueName: "count"))
  var checkpointInterval: Int?

  var settings: SettingsLayer {
    get throws {
      try SettingsLayer([
        .validationInterval: validationInterval, .patience: patience, .checkpointInterval: checkpointInterval,
      ])
    }
  }
}
