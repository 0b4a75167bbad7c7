import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf info`: what this program is and what it found on this machine.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Show version, instruction set, threads and BLAS.",
    discussion: """
      The instruction set is the best this machine has; the environment's CNF_ISA=generic|avx2|avx512|avx512bf16|neon overrides it. \
      The number of threads is what --threads 0 means; the environment's OMP_NUM_THREADS overrides it.
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    let instructionSet = try Kernels.instructionSet().description
    guard !output.json else {
      return try output.print([
        "version": .string(Machine.kernelVersion), "isa": .string(instructionSet),
        "threads": .integer(Machine.threadCount), "blas": .string(Machine.blasConfiguration),
      ])
    }
    try Terminal.result("version  \(Machine.kernelVersion)")
    try Terminal.result("isa      \(instructionSet)")
    try Terminal.result("threads  \(Machine.threadCount)")
    try Terminal.result("blas     \(Machine.blasConfiguration)")
  }
}
