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

  @Flag(inversion: .prefixedNo, help: "Bring every column to mean 0 and variance 1 first (default yes).")
  var standardise: Bool?

  var settings: SettingsLayer {
    get throws {
      try SettingsLayer([.data: data, .count: count, .dataSeed: dataSeed, .standardise: standardise])
    }
  }
}
