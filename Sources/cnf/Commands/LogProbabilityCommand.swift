import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf logprob`: the log-density of each of some points.
struct LogProbabilityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logprob",
    abstract: "Compute the log-density of points, in nats.",
    discussion: """
      The file's extension says its kind: .npy (float64, one number per sample) or .csv. Without --out the numbers go to \
      standard output, one on each line. A sample whose solve fails gets NaN, and standard error says how many there are; \
      the others are not affected. A sample's number does not depend on the other samples; with --trace hutchinson it is an \
      estimate, whose probes are keyed by --seed and the sample's row.

      A conditional flow gives log p(x|c): of one class with --class, or of what --context says of each sample. Without either \
      the digits have their labels, and a file of columns behind the samples' own has them as the context.

      The digits data set is dequantised with the noise that evaluation uses; files are taken as they are. A flow of the \
      digits (--transform marginals or logit) has no density outside 0 ... 1: a sample beyond gets -inf (null in JSON, as NaN), and \
      standard error says how many there are. A level k of 17 is given to it as (k + u) / 17 with u uniform in [0, 1).

      Example:
        cnf logprob runs/pinwheel --data points.csv --out logp.npy
        cnf logprob runs/digits-by-class --data images.npy --class 3
      """)

  @OptionGroup var target: RunArgument
  @OptionGroup(title: "Data") var selection: DataSelection
  @OptionGroup(title: "Condition") var context: ContextFlags

  @Option(name: .shortAndLong, help: ArgumentHelp("The .npy or .csv file to write.", valueName: "file"))
  var out: String?

  @OptionGroup(title: "Solver") var solver: SolverFlags
  @OptionGroup(title: "Machine") var machine: MachineFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    let format = try out.map { try ResultFile(path: $0) }
    let trained = try target.open(solver: solver, machine: machine)
    let model = try trained.density(for: "logprob")
    guard let dataset = try selection.load(for: model, context: context) else {
      throw CommandFailure(.usage, "there are no points to compute log-densities of: name them with --data")
    }
    let settings = trained.settings
    let points = dataset.continuousPoints(seed: settings.seed)
    let densities = try model.logDensities(
      of: points, options: settings.evaluationSolverOptions, backend: settings.backendChoice, seed: settings.seed,
      identifiers: dataset.identifiers, context: dataset.context)
    if let format {
      try format.write(doubles: densities.values)
    } else if !output.json {
      for value in densities.values { try Terminal.result(value.description) }
    }
    if let first = densities.statuses.firstIndex(where: { $0 != .ok }) {
      Terminal.remark(
        "cnf: \(densities.failed) of \(dataset.count) samples have no log-density (NaN), the first of them sample "
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

  /// Densities of zero are right, but mostly not what was meant: levels where the flow takes (k + u) / levels.
  private func remarkOutside(_ points: SampleMatrix, _ densities: LogDensities, of transform: DataTransform) {
    let count = densities.values.count { $0 == -.infinity }
    guard count > 0, transform.marginals != nil || transform.logit != nil else { return }
    let mend =
      transform.marginals.map { "give a level k of \($0.levels) as (k + u) / \($0.levels) with u uniform in [0, 1)" }
      ?? "scale them to that range"
    Terminal.remark(
      "cnf: \(count) of \(points.count) samples lie outside 0 ... 1, where this flow has no density (-inf): \(mend)")
  }
}
