import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf sample`: new points from a trained flow.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Draw new samples from a trained flow.",
    discussion: """
      The file's extension says its kind: .npy (float32, one row per sample) or .csv. Without --out the samples go to \
      standard output as CSV. Sample i depends on the seed and on i alone, not on how many are drawn.

      Examples:
        cnf sample runs/pinwheel -n 1000 --out samples.npy
        cnf sample runs/pinwheel -n 5 --seed 7
      """)

  @OptionGroup var target: RunArgument

  @Option(
    name: [.customShort("n"), .customLong("number")], parsing: .unconditional,
    help: ArgumentHelp("How many samples.", valueName: "count"))
  var number: Int

  @Option(name: .shortAndLong, help: ArgumentHelp("The .npy or .csv file to write.", valueName: "file"))
  var out: String?

  @OptionGroup(title: "Solver") var solver: SolverFlags
  @OptionGroup(title: "Machine") var machine: MachineFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    guard number > 0, number < 1 << 31 else {
      throw CommandFailure(.usage, "-n is \(number), must be from 1 to 2^31 - 1")
    }
    let format = try out.map { try ResultFile(path: $0) }
    let trained = try target.open(solver: solver, machine: machine)
    let settings = trained.settings
    let samples = try trained.density(for: "sample").samples(
      count: number, seed: machine.seed ?? 0, options: settings.evaluationSolverOptions,
      backend: settings.backendChoice, context: nil)
    if let format {
      try format.write(floats: samples.values, count: samples.count, columns: samples.dimension)
      if !output.quiet && !output.json { Terminal.remark("wrote \(number) samples to \(format.path)") }
    } else if !output.json {
      for row in 0..<samples.count { try Terminal.result(samples[row].map(\.description).joined(separator: ",")) }
    }
    guard output.json else { return }
    var result: [(key: String, value: JSONValue)] = [
      ("count", .integer(samples.count)), ("dimension", .integer(samples.dimension)),
    ]
    if let format {
      result.append(("out", .string(format.path)))
    } else {
      let rows = (0..<samples.count).map { row in JSONValue.array(samples[row].map { .number(Double($0)) }) }
      result.append(("samples", .array(rows)))
    }
    try output.print(.object(result))
  }
}
