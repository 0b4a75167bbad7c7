import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf sample`: new samples from a trained model.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Draw new samples from a trained model.",
    discussion: """
      Type a run and a number of samples. You get one row per sample: in a file with --out (.npy: float64; or .csv), otherwise \
      on standard output as CSV. Sample i depends only on --seed and i, not on the number of samples.

      With --log-density each row ends with the sample's log p(x) in nats, from the same solve. A conditional flow samples \
      p(x|c): of one class with --class, or of the contexts in --context.

      With --times you get the samples at several times on their paths from the base at t = 0 to the data at T (K T with K \
      blocks), in the data's units: .npy float64 [times][samples][columns], or as CSV a row for each time and sample that starts \
      with the time. With --log-density each comes with the log-density of the flow at that time.

      Examples:
        cnf sample runs/pinwheel -n 1000 --out samples.npy
        cnf sample runs/pinwheel -n 5 --seed 7 --log-density
        cnf sample runs/pinwheel -n 100 --times 0,0.5,1 --log-density --out paths.npy
        cnf sample runs/digits-by-class -n 10 --class 3
        cnf sample runs/diffusion -n 1000 --sampler predictor-corrector --sampler-steps 500
      """)

  @OptionGroup var target: RunArgument

  @Option(
    name: [.customShort("n"), .customLong("number")], parsing: .unconditional,
    help: ArgumentHelp("Number of samples.", valueName: "count"))
  var number: Int

  @Option(name: .shortAndLong, help: ArgumentHelp(".npy or .csv file to write.", valueName: "file"))
  var out: String?

  @Flag(help: "Append each sample's log-density as a last column.")
  var logDensity = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Write the samples at these times of the flow, such as 0,0.5,1, in rising order.", valueName: "times"))
  var times: TimeList?

  @OptionGroup(title: "Condition") var context: ContextFlags
  @OptionGroup(title: "Diffusion models") var sampler: SamplerFlags
  @OptionGroup(title: "Solver") var solver: SettingFlags<TrainedSolver>
  @OptionGroup(title: "Solver") var states: StateTypeFlag
  @OptionGroup(title: MachineSettings.title) var machine: SettingFlags<TrainedMachine>
  @OptionGroup var output: OutputOptions

  /// What a sample, and each of its numbers, take at most while they are drawn and written. A sample of two columns was
  /// measured at 125 bytes for .npy and 265 for JSON.
  private static let (bytesPerSample, bytesPerValue) = (100, 60)

  func run() throws {
    guard number > 0, number < 1 << 31 else {
      throw CommandFailure(.usage, "-n is \(number), must be from 1 to 2^31 - 1")
    }
    let format = try out.map { try ResultFile(path: $0) }
    try sampler.check()
    let trained = try target.open(solver: solver, machine: machine, states: states)
    let values = trained.model.dimension + trained.model.contextDimension + 1
    try AvailableMemory.check(
      number * (Self.bytesPerSample + Self.bytesPerValue * values * (times?.times.count ?? 1)),
      for: "-n is \(number), which", fix: "draw fewer samples at a time, each part with another --seed")
    if let times { return try show(at: times, of: trained, format) }
    let (samples, logDensities) = try draw(from: trained)
    let table = logDensities.map { samples.appending(column: $0) } ?? samples
    if let format {
      try format.write(table.values, count: table.count, columns: table.dimension)
      if !output.quiet && !output.json { Terminal.remark("wrote \(number) samples to \(format.path)") }
    } else if !output.json {
      for row in 0..<table.count { try Terminal.result(table[row].map(\.description).joined(separator: ",")) }
    }
    guard output.json else { return }
    var result: [(key: String, value: JSONValue)] = [
      ("count", .integer(samples.count)), ("dimension", .integer(samples.dimension)),
    ]
    if let logDensities { result.append(("log_density", .array(logDensities.map { .number($0) }))) }
    if let format {
      result.append(("out", .string(format.path)))
    } else {
      let rows = (0..<samples.count).map { row in JSONValue.array(samples[row].map { .number($0) }) }
      result.append(("samples", .array(rows)))
    }
    try output.print(.object(result))
  }

  private func show(at times: TimeList, of trained: TrainedRun, _ format: ResultFile?) throws {
    guard sampler.sampler == nil else {
      throw CommandFailure(
        .usage,
        "--times is only for samples of a flow, and sampler is \(sampler.sampler ?? ""): leave one of them out")
    }
    let model = try trained.density(for: "sample")
    let paths = try SamplePaths(
      of: trained, count: number, seed: machine.layer.value(\.seed) ?? 0, times: times, withLogDensities: logDensity,
      context: context.load(for: model, count: number))
    if let format {
      try paths.write(to: format)
      if !output.quiet && !output.json {
        Terminal.remark("wrote \(number) samples at \(times.times.count) times to \(format.path)")
      }
    } else if !output.json {
      try paths.print()
    }
    if output.json { try output.print(paths.json(writtenTo: format?.path)) }
  }

  /// The samples, with their log-densities if asked for, from the same solve where samples come from a solve.
  private func draw(from trained: TrainedRun) throws -> (samples: SampleMatrix, logDensities: [Double]?) {
    let (model, settings) = (try trained.density(for: "sample"), trained.settings)
    let (options, backend, seed) = try (
      settings.evaluationSolverOptions, settings.backend, machine.layer.value(\.seed) ?? 0
    )
    if let samples = try sampler.samples(of: trained, count: number, seed: seed, options: options) {
      guard logDensity else { return (samples, nil) }
      let densities = try model.logDensities(
        of: samples, options: options, backend: backend, seed: seed, identifiers: nil, context: nil)
      return (samples, densities.values)
    }
    let context = try context.load(for: model, count: number)
    if logDensity, let flow = model.invertibleFlow as? ContinuousFlow {
      return try flow.samplesWithLogDensities(
        count: number, seed: seed, options: options, backend: backend, context: context)
    }
    let samples = try model.samples(
      count: number, seed: seed, options: options, backend: backend, context: context)
    guard logDensity else { return (samples, nil) }
    let densities = try model.logDensities(
      of: samples, options: options, backend: backend, seed: seed, identifiers: nil, context: context)
    return (samples, densities.values)
  }
}

extension SampleMatrix {
  /// The same rows, each with one more number at its end.
  fileprivate func appending(column: [Double]) -> SampleMatrix {
    SampleMatrix(
      count: count, dimension: dimension + 1, values: (0..<count).flatMap { Array(self[$0]) + [column[$0]] })
  }
}
