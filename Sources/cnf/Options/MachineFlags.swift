import ArgumentParser

/// What runs the kernels, and from which seed.
struct MachineFlags: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads; 0 for all there are. Results do not depend on it.", valueName: "count"))
  var threads: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Seed of everything random that is not the data (default 0).", valueName: "number"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "c for the C kernels, swift for the path in Swift alone (slower; to compare with).", valueName: "name"))
  var backend: String?

  var settings: SettingsLayer {
    get throws { try SettingsLayer([.threads: threads, .seed: seed, .backend: backend]) }
  }
}
