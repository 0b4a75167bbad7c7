import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf check-gradient`: whether the gradient of a flow's NLL is its derivative.
struct CheckGradientCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-gradient",
    abstract: "Check a flow's gradients against finite differences.",
    discussion: """
      Type a run of a continuous flow. You get a table that compares the gradient of the NLL, with the run's penalties, with \
      central differences in double precision. Its rows are each layer's parameters, the samples, both times, and all parameters \
      along a random direction. Its columns are the discrete gradient (of the steps that were taken) and the continuous one \
      (from a backward solve). Differences repeat the steps of the solve, because the discrete gradient is that of these steps.

      The solver is that of evaluation; --solver, --trace and the other solver flags choose another, such as that of training.

      Errors of the discrete gradient stay below 1e-7, except with activations that have a kink (relu, elu), where a difference \
      may reach across the kink. The continuous gradient is as accurate as the steps; the last column shows that finer steps \
      reduce its error. The exit code is 1 if the discrete error is larger or finer steps do not help.

      Example:
        cnf check-gradient runs/pinwheel --trace hutchinson
      """)

  @OptionGroup var target: RunArgument
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Number of samples to check with, from 1 to 1000.", valueName: "count"))
  var samples = 4
  @OptionGroup(title: "Data") var selection: DataSelection
  @OptionGroup(title: "Condition") var context: ContextFlags
  @OptionGroup(title: "Solver") var solver: SettingFlags<TrainedSolver>
  @OptionGroup(title: MachineSettings.title) var machine: SettingFlags<TrainedMachine>
  @OptionGroup var output: OutputOptions

  func run() throws {
    guard 1...1000 ~= samples else {
      throw CommandFailure(.usage, "--samples is \(samples), must be from 1 to 1000")
    }
    let trained = try target.open(solver: solver, machine: machine)
    let flow = try trained.flow(for: "check-gradient")
    let method = trained.settings.evaluationSolver
    guard method.row.hasDiscreteGradient else {
      throw CommandFailure(
        .usage, "solver is \(method.name), which has no discrete gradient to check: give another, such as dopri5")
    }
    let dataset = try trained.heldOut(instead: selection, context: context).dataset
    let points = dataset.continuousSamples(seed: trained.settings.seed)
    let rows = 0..<min(samples, points.count)
    let settings = trained.settings
    let check = try GradientCheck(
      of: flow, at: points.rows(rows), options: settings.evaluationSolverOptions,
      regularisation: Regularisation(kineticEnergy: settings.kinetic, frobeniusNorm: settings.frobenius),
      backend: settings.backend, seed: settings.seed, context: dataset.context?.rows(rows))
    try output.json ? output.print(json(check)) : print(check)
    guard check.isDiscreteRight else {
      throw CommandFailure(
        .other,
        "the discrete gradient has an error of \(Format.scientific(check.worstError)), above \(GradientCheck.tolerance)"
      )
    }
    guard check.isContinuousRight else {
      throw CommandFailure(
        .other,
        "the continuous gradient has an error of \(Format.scientific(check.worstContinuousError ?? .nan)), and finer steps do not reduce it"
      )
    }
  }

  private func print(_ check: GradientCheck) throws {
    var table = TextTable([
      .words("with respect to"), .numbers("values"), .numbers("discrete"), .numbers("continuous"),
      .numbers("differences"), .numbers("discrete error"), .numbers("continuous error"), .numbers("with finer steps"),
    ])
    for row in check.rows {
      let numbers = [row.discrete, row.continuous, row.differences].map {
        $0.map { Format.decimal($0, digits: 9) } ?? "none"
      }
      let errors = [row.discreteError, row.continuousError, row.refinedError].map {
        $0.map(Format.scientific) ?? "none"
      }
      table.append([row.name, "\(row.count)"] + numbers + errors)
    }
    let terms = [("kinetic", check.regularisation.kineticEnergy), ("frobenius", check.regularisation.frobeniusNorm)]
    let added = terms.filter { $0.1 != 0 }.map { " + \($0.1) \($0.0)" }.joined()
    try Terminal.result(
      "gradients of the NLL\(added) of \(check.sampleCount) samples, trace \(check.trace.rawValue), in double precision"
    )
    for line in table.lines { try Terminal.result(line) }
    try Terminal.result(verdict(check))
  }

  private func verdict(_ check: GradientCheck) -> String {
    let isRight = check.isDiscreteRight && check.isContinuousRight
    let discrete =
      "\(isRight ? "right" : "WRONG"): largest error of the discrete gradient \(Format.scientific(check.worstError))"
    guard let continuous = check.worstContinuousError, let refined = check.worstRefinedError else {
      return discrete + "; there is no continuous gradient to compare"
    }
    return discrete
      + ", of the continuous one \(Format.scientific(continuous)), with finer steps \(Format.scientific(refined))"
  }

  private static func value(_ number: Double?) -> JSONValue { number.map { .number($0) } ?? .null }

  private func json(_ check: GradientCheck) -> JSONValue {
    [
      "samples": .integer(check.sampleCount), "trace": .string(check.trace.rawValue),
      "kinetic": .number(check.regularisation.kineticEnergy),
      "frobenius": .number(check.regularisation.frobeniusNorm),
      "right": .boolean(check.isDiscreteRight && check.isContinuousRight),
      "worst_error": .number(check.worstError), "worst_continuous_error": Self.value(check.worstContinuousError),
      "worst_refined_error": Self.value(check.worstRefinedError), "tolerance": .number(GradientCheck.tolerance),
      "rows": .array(
        check.rows.map {
          [
            "name": .string($0.name), "numbers": .integer($0.count), "discrete": .number($0.discrete),
            "continuous": Self.value($0.continuous), "differences": .number($0.differences),
            "discrete_error": .number($0.discreteError), "continuous_error": Self.value($0.continuousError),
            "refined_error": Self.value($0.refinedError),
          ]
        }),
    ]
  }
}
