import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf evaluate`: how well a trained model fits data that it has not seen.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure a trained model on held-out data: NLL in nats per sample.",
    discussion: """
      Type a run. You get the NLL of its held-out samples (mean of -log p(x), nats per sample, lower is better), bits per \
      dimension, and the same of a Gaussian with full covariance that is fitted to the other samples. Classifiers give accuracy \
      and NLL of the classes, regressions the mean squared error. --data names other samples to measure.

      Bits per dimension are per original level for data that were counted in levels, such as the digits. The divergence is \
      exact unless --trace says otherwise.

      A conditional flow gives the NLL of p(x|c). The context c is known for the run's own data and for the digits. For a file, \
      give it with --class or --context, or as columns behind those of the samples. A flow conditioned on classes also gives the \
      NLL of p(x), and how often the class with the largest p(x|c) p(c) is the sample's own.

      --check-inverse solves from data to base and back, and from base to data and back, and shows how far samples miss their \
      start (after the transform) and how far the sum of log-determinants is from 0, at several tolerances. --check-jacobian \
      compares the integral of the trace with log |det| of the Jacobian of the map from data to base, whose rows come from D \
      backward passes. Discrete flows solve nothing: there the checks show rounding errors. For a diffusion model the \
      probability flow is checked.

      A flow with --transform marginals has density 0 outside 0 ... 1, and one with --transform logit outside \
      -m ... 1 + m, where m = alpha / (1 - 2 alpha). Files with values beyond are refused. Give a level k of the digits as \
      (k + u) / 17 with u uniform in [0, 1).

      Examples:
        cnf evaluate runs/pinwheel --json
        cnf evaluate runs/pinwheel --check-inverse --check-jacobian
      """)

  @OptionGroup var target: RunArgument
  @Flag(help: "Also check that the solves in both directions are inverse to each other.")
  var checkInverse = false

  @Flag(help: "Also check log-densities against determinants of Jacobians.")
  var checkJacobian = false

  @OptionGroup(title: "Data") var selection: DataSelection
  @OptionGroup(title: "Condition") var context: ContextFlags
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Models with outputs: number of last columns of the file that hold the class (1) or K targets (default: as in training).",
      valueName: "count"))
  var targets: Int?

  @OptionGroup(title: "Solver") var solver: SettingFlags<TrainedSolver>
  @OptionGroup(title: "Solver") var states: StateTypeFlag
  @OptionGroup(title: MachineSettings.title) var machine: SettingFlags<TrainedMachine>
  @OptionGroup var output: OutputOptions

  func run() throws {
    var others = SettingsLayer()
    others.set(\.targets, to: targets)
    let trained = try target.open(
      solver: solver, machine: machine, others: others, states: states)
    let map =
      try checkInverse || checkJacobian
      ? trained.map(for: "evaluate \(checkInverse ? "--check-inverse" : "--check-jacobian")") : nil
    let (dataset, fitted) = try trained.heldOut(instead: selection, context: context)
    if let fitted, !output.quiet, let remark = DataRemarks.repeatedRows(of: dataset, in: [fitted]) {
      Terminal.remark("cnf: \(remark)")
    }
    var report = try trained.model.report(on: dataset, against: fitted, settings: trained.settings)
    if let map {
      let checks = MapChecks(flow: map, dataset: dataset, settings: trained.settings)
      if checkInverse { report = report.followed(by: try checks.inverse()) }
      if checkJacobian { report = report.followed(by: try checks.jacobian()) }
    }
    try output.json ? output.print(report.json) : report.print()
  }
}
