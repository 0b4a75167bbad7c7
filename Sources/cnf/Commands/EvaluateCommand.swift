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

      A file is taken as it is. A flow of the digits (--transform marginals) has no density outside 0 ... 1, so a file that \
      goes beyond is refused: a level k of 17 is given to it as (k + u) / 17 with u uniform in [0, 1).

      Example:
        cnf evaluate runs/pinwheel --json
      """)

  @OptionGroup var target: RunArgument
  @OptionGroup(title: "Data") var selection: DataSelection
  @OptionGroup(title: "Solver") var solver: SolverFlags
  @OptionGroup(title: "Machine") var machine: MachineFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    let trained = try target.open(solver: solver, machine: machine)
    let (dataset, fitted) = try trained.heldOut(instead: selection)
    let report = try trained.model.report(on: dataset, against: fitted, settings: trained.settings)
    try output.json ? output.print(report.json) : report.print()
  }
}
