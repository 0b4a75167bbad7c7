import ArgumentParser

/// What to train on.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A name that cnf datasets lists, or a .npy or .csv file of one row per sample.", valueName: "name|file"))
  var data: String?

  @Option(parsing: .unconditional, help: "Samples of a generated set (default 20000).")
  var count: Int?

  @Option(
    parsing: .unconditional,
    help: "Seed of a generated set and of the split into train, validation and held-out part (default 0).")
  var dataSeed: UInt64?

  @Option(
    help: ArgumentHelp(
      """
      What is done to each column first: none, standardise (to mean 0 and variance 1), or for data counted in levels \
      marginals (to the standard normal, by the column's own distribution of levels); or logit, of data from 0 to 1: the \
      logit of alpha + (1 - 2 alpha) x, standardised, as papers on images have it.
      """, valueName: "name"))
  var transform: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of the logit, above 0 and below 0.5 (default 1e-6 for data counted in levels, as for MNIST; else 0.05).",
      valueName: "number"))
  var logitAlpha: Double?

  @Option(
    help: ArgumentHelp(
      "Condition the model on each sample's class: labels, which the digits have (default none).", valueName: "name"))
  var condition: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Condition the model on the last columns of the data, as many: they are standardised and not modelled.",
      valueName: "count"))
  var conditionColumns: Int?

  var settings: SettingsLayer {
    get throws {
      try SettingsLayer([
        .data: data, .count: count, .dataSeed: dataSeed, .transform: transform, .logitAlpha: logitAlpha,
        .condition: condition, .conditionColumns: conditionColumns,
      ])
    }
  }
}
