import ArgumentParser

/// `bench-structures`: compares Hamiltonian fields and OT-Flow's potentials with unstructured fields.
@main
struct BenchStructures: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-structures",
    abstract: "Compare fields with a structure with plain nets: what they keep, and how far they move.",
    subcommands: [HamiltonianBench.self, TransportBench.self])
}
