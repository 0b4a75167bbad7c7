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
      marginals (to the standard normal, by the column's own distribution of levels).
      """, valueName: "name"))
  var transform: String?

  var settings: SettingsLayer {
    get throws {
      try SettingsLayer([.data: data, .count: count, .dataSeed: dataSeed, .transform: transform])
    }
  }
}
