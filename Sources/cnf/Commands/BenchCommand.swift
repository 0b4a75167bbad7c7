import ArgumentParser
import ContinuousFlows
import FlowBenchmarks
import FlowIO

/// `cnf bench`: how fast this machine trains, and which fraction of its peak the kernels reach.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure the speed of kernels and training steps on this machine.",
    discussion: """
      Five flags choose what is measured: --kernels, --training, --scaling, --backends, --divergence. Without any of them, \
      everything is measured, in about a minute. Run nothing else on the machine meanwhile.

      Each result is checked before it is timed: a kernel against the generic kernel, a training step against the same step in \
      double precision. Figures are medians.

      The workloads are training steps of a tanh network on [x, t]. Each is timed with 20 steps of rk4, and with dopri5 at \
      tolerance 1e-5:
      \(Workload.all.map { "  \($0.name)  layers \($0.layers), batch \($0.batch)" }.joined(separator: "\n"))

      Without --full, large workloads use a part of their batch; the table shows how many samples. The large workloads W3 and W4 \
      are left out of --scaling and --backends, unless --full is given or --workload names them.

      Examples:
        cnf bench
        cnf bench --training --workload W1,W5 --threads 1
        cnf bench --full --json > bench.json
      """)

  @Flag(help: "Time each C kernel, as a fraction of the machine's peak, for every instruction set.")
  var kernels = false

  @Flag(help: "Time one training step of each workload, on all threads.")
  var training = false

  @Flag(help: "Time the same step on one thread, on two, and so on.")
  var scaling = false

  @Flag(help: "Compare the C kernels with Swift alone, on one thread and on all.")
  var backends = false

  @Flag(
    help: "Time the change of volume by dimension: a dense determinant, exact traces, Hutchinson's estimate.")
  var divergence = false

  @Flag(help: "Whole batches, larger layers and double precision; takes several minutes.")
  var full = false

  @Option(
    help: ArgumentHelp(
      "Some of \(Workload.all.map(\.name).joined(separator: ",")), separated by commas (default: all).",
      valueName: "names"))
  var workload: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Number of threads; 0 for all there are.", valueName: "count"))
  var threads = 0

  @Option(
    help: ArgumentHelp(
      "Instruction set (default: the best for training steps, all for kernels).", valueName: "name"))
  var isa: String?

  @Option(
    help: ArgumentHelp("Precision of the training steps and their scaling: full or mixed.", valueName: "name"))
  var precision = "full"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Time to measure each training step for; kernels take a tenth of it.", valueName: "seconds"))
  var seconds = 0.5

  @OptionGroup var output: OutputOptions

  func run() throws {
    let plan = try plan()
    let load = Processor.loadAverage
    remark(load)
    let progress = BenchProgress(isSilent: output.quiet)
    let peaks = Peaks(seconds: plan.kernelSeconds)
    let kernels = KernelBench(plan: plan, peaks: peaks, progress: progress)
    let steps = StepBench(plan: plan, peaks: peaks, progress: progress)
    let divergences = DivergenceBench(plan: plan, progress: progress)
    for section in plan.sections {
      switch section {
      case .kernels: progress.expect(kernels.count)
      case .divergence: progress.expect(divergences.count)
      default: progress.expect(steps.count(of: section))
      }
    }
    if !output.json { try printMachine(plan) }
    var results: [(key: String, value: JSONValue)] = []
    for section in plan.sections {
      let tables =
        switch section {
        case .kernels: try kernels.tables()
        case .training: [try steps.training()]
        case .scaling: [try steps.scaling()]
        case .backends: [try steps.backends()]
        case .divergence: try divergences.tables()
        }
      progress.clear()
      results.append((section.rawValue, .array(tables.flatMap(\.records))))
      if !output.json { for table in tables { try table.print() } }
    }
    guard output.json else { return }
    try output.print(.object(machine(plan, load) + [("peak", peaks.json)] + results))
  }

  private func plan() throws -> BenchPlan {
    guard seconds > 0, seconds <= 3600 else {
      throw CommandFailure(.usage, "--seconds is \(seconds), must be above 0 and at most 3600")
    }
    guard (0...4096).contains(threads) else {
      throw CommandFailure(.usage, "--threads is \(threads), must be from 0 (all) to 4096")
    }
    let best = try Kernels.instructionSet()
    let asked = try isa.map { try BenchPlan.instructionSet(named: $0) }
    let chosen: [BenchPlan.Section] = zip(
      BenchPlan.Section.allCases, [kernels, training, scaling, backends, divergence]
    )
    .filter { $1 }.map { $0.0 }
    return BenchPlan(
      sections: chosen.isEmpty ? BenchPlan.Section.allCases : chosen,
      workloads: try workload.map { try BenchPlan.workloads(named: $0) } ?? Workload.all,
      workloadsAreChosen: workload != nil, isFull: full,
      threads: threads == 0 ? Machine.threadCount : threads, instructionSet: asked ?? best,
      precision: try BenchPlan.precision(named: precision),
      kernelInstructionSets: asked.map { [$0] } ?? Machine.availableInstructionSets, seconds: seconds)
  }

  private func printMachine(_ plan: BenchPlan) throws {
    try Terminal.result(
      "cnf \(Machine.kernelVersion) on \(Processor.model ?? "an unknown processor"), "
        + "\(plan.instructionSet), \(plan.threads == 1 ? "1 thread" : "\(plan.threads) threads")")
  }

  /// Says that other work on the machine slows down what is measured.
  private func remark(_ load: Double?) {
    guard !output.quiet, let load, 2 * load > Double(Processor.count) else { return }
    Terminal.remark(
      "cnf: the load average is \(Format.decimal(load, digits: 1)) on \(Processor.count) processors: other work slows down "
        + "what is measured")
  }

  private func machine(_ plan: BenchPlan, _ load: Double?) -> [(key: String, value: JSONValue)] {
    [
      ("version", .string(Machine.kernelVersion)), ("processor", Processor.model.map { .string($0) } ?? .null),
      ("isa", .string(plan.instructionSet.description)), ("threads", .integer(plan.threads)),
      ("load_average", load.map { .number($0) } ?? .null), ("full", .boolean(full)),
    ]
  }
}
