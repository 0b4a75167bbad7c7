import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf evaluate`: how well a trained flow explains data that it has not seen.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure the mean log-likelihood of data under a trained flow.",
    discussion: """
      Without --data this is the part of the run's own data that was held out from training, beside a Gaussian of full \
      covariance fitted to the rest. The trace is exact unless --trace says otherwise. nll is the mean negative \
      log-density in nats; bits/dim is on the data's original levels where they were counted in levels.

      Of a conditional flow it is log p(x|c). The c of a run's own data and of the digits is known; of a file --class or --context \
      gives it, or the columns behind the samples' own are it. For classes, p(x) and the class of largest p(x|c) p(c) are \
      compared with the labels, too.

      --check-inverse goes forward and then backward, from data and from the base, and shows how far samples miss where they \
      began, after the transform, and how far the log-determinants' sum is from 0: at the run's tolerance and by tolerance. \
      --check-jacobian compares the integral of the trace with log |det| of the Jacobian of the map from data to base, whose rows \
      are had by D reverse solves. A discrete flow solves nothing: what it shows is rounding, in float and in double. Of a diffusion \
      model the probability flow is checked.

      A file is taken as it is. A flow of the digits (--transform marginals or logit) has no density outside 0 ... 1, so a file that \
      goes beyond is refused: a level k of 17 is given to it as (k + u) / 17 with u uniform in [0, 1).

      Of a classifier the accuracy and the cross-entropy are measured, of a regression the mean squared error. \
      Models that solve nothing (--model coupling, affine, linear) have no use for flags of solvers.

      Example:
        cnf evaluate runs/pinwheel --json
        cnf evaluate runs/pinwheel --check-inverse --check-jacobian
      """)

  @OptionGroup var target: RunArgument
  @Flag(help: "Check that the flow's solves are each other's inverse, by tolerance.")
  var checkInverse = false

  @Flag(help: "Check log-densities against determinants of Jacobians, by tolerance.")
  var checkJacobian = false

  @OptionGroup(title: "Data") var selection: DataSelection
  @OptionGroup(title: "Condition") var context: ContextFlags
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of a model with outputs: columns at the end of the file that hold the class (1) or K targets (default as in training).",
      valueName: "count"))
  var targets: Int?

  @OptionGroup(title: "Solver") var solver: SolverFlags
  @OptionGroup(title: "Machine") var machine: MachineFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    let trained = try target.open(
      solver: solver, machine: machine, beside: SettingsLayer([.targets: targets]))
    let map =
      try checkInverse || checkJacobian
      ? trained.map(for: "evaluate \(checkInverse ? "--check-inverse" : "--check-jacobian")") : nil
    let (dataset, fitted) = try trained.heldOut(instead: selection, context: context)
    var report = try trained.model.report(on: dataset, against: fitted, settings: trained.settings)
    if let map {
      let checks = MapChecks(flow: map, dataset: dataset, settings: trained.settings)
      if checkInverse { report = report.followed(by: try checks.inverse()) }
      if checkJacobian { report = report.followed(by: try checks.jacobian()) }
    }
    try output.json ? output.print(report.json) : report.print()
  }
}
