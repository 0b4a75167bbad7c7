import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf logprob`: the log-density of each sample.
struct LogProbabilityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logprob",
    abstract: "Compute log p(x) of each sample, in nats.",
    discussion: """
      Type a run and samples (--data). You get log p(x) of each sample in nats, higher is more likely: in a file with --out \
      (.npy: float64, one number per sample; or .csv), otherwise on standard output, one per line.

      A sample's number does not depend on the other samples. With --trace hutchinson it is an estimate, whose random probes \
      depend on --seed and the sample's row. A sample whose solve fails gets NaN, and standard error says how many there are; \
      the others are not affected.

      A conditional flow gives log p(x|c): of one class with --class, or of the contexts in --context. Without either, the \
      digits use their labels, and a file uses the columns behind those of the samples.

      A flow with --transform marginals has density 0 outside 0 ... 1, and one with --transform logit outside \
      -m ... 1 + m, where m = alpha / (1 - 2 alpha). A sample outside gets -inf (in JSON null, like NaN), and standard \
      error says how many there are. The digits have 17 gray levels: give level k as \
      (k + u) / 17 with u uniform in [0, 1). \
      The built-in digits are dequantised in this way, with the noise that evaluation uses; files are used as they are.

      Examples:
        cnf logprob runs/pinwheel --data points.csv --out logp.npy
        cnf logprob runs/digits-by-class --data images.npy --class 3
      """)

  @OptionGroup var target: RunArgument
  @OptionGroup(title: "Data") var selection: DataSelection
  @OptionGroup(title: "Condition") var context: ContextFlags

  @Option(name: .shortAndLong, help: ArgumentHelp(".npy or .csv file to write.", valueName: "file"))
  var out: String?

  @OptionGroup(title: "Solver") var solver: SettingFlags<TrainedSolver>
  @OptionGroup(title: "Solver") var states: StateTypeFlag
  @OptionGroup(title: MachineSettings.title) var machine: SettingFlags<TrainedMachine>
  @OptionGroup var output: OutputOptions

  func run() throws {
    let format = try out.map { try ResultFile(path: $0) }
    let trained = try target.open(solver: solver, machine: machine, states: states)
    let model = try trained.density(for: "logprob")
    guard let dataset = try selection.load(for: model, context: context) else {
      throw CommandFailure(.usage, "there are no samples to compute log-densities of: name them with --data")
    }
    let settings = trained.settings
    let points = dataset.continuousSamples(seed: settings.seed)
    let densities = try model.logDensities(
      of: points, options: settings.evaluationSolverOptions, backend: settings.backend, seed: settings.seed,
      identifiers: dataset.identifiers, context: dataset.context)
    if let format {
      try format.write(column: densities.values)
    } else if !output.json {
      for value in densities.values { try Terminal.result(value.description) }
    }
    if let first = densities.statuses.firstIndex(where: { $0 != .ok }) {
      Terminal.remark(
        "cnf: \(densities.failed) of \(dataset.count) samples have no log-density (NaN); the first is sample "
          + "\(first + 1), which at t = \(densities.timesReached[first]) \(densities.statuses[first]): "
          + "try looser tolerances or a larger --solver-max-steps")
    }
    remarkOutside(points, densities, of: model.transform)
    guard output.json else { return }
    var result: [(key: String, value: JSONValue)] = [
      ("count", .integer(dataset.count)), ("failed", .integer(densities.failed)),
    ]
    if let format {
      result.append(("out", .string(format.path)))
    } else {
      result.append(("logprob", .array(densities.values.map { .number($0) })))
    }
    try output.print(.object(result))
  }

  /// A density of zero is correct, but mostly not what was meant: levels k where the flow needs (k + u) / levels.
  private func remarkOutside(_ points: SampleMatrix, _ densities: LogDensities, of transform: DataTransform) {
    let count = densities.values.count { $0 == -.infinity }
    guard count > 0, transform.marginals != nil || transform.logit != nil else { return }
    let fix =
      transform.marginals.map { "give a level k of \($0.levels) as (k + u) / \($0.levels) with u uniform in [0, 1)" }
      ?? "scale them as the training data"
    let range = transform.logit?.rangeText ?? "from 0 to 1"
    Terminal.remark(
      "cnf: \(count) of \(points.count) samples have density 0 (-inf), because this flow has a density only for values "
        + "\(range): \(fix)")
  }
}
