import ArgumentParser

/// `bench-objectives`: compares training objectives in equal time.
@main
struct BenchObjectives: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-objectives",
    abstract: "Compare objectives by the held-out likelihood that they reach in equal processor time.",
    subcommands: [FlowMatchingBench.self, DiffusionBench.self])
}
