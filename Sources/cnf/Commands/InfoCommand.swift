import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf info`: the program's version, and what it uses of this machine.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Show version, instruction set, threads and BLAS.",
    discussion: """
      The instruction set is the best that this machine has; the environment variable CNF_ISA overrides it (generic, avx2, \
      avx512, avx512bf16 or neon). The number of threads is what --threads 0 means; OMP_NUM_THREADS overrides it.
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
