import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf check-gradient`: whether the gradient of a flow is the derivative of its log-likelihood.
struct CheckGradientCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-gradient",
    abstract: "Compare the gradients of a flow's likelihood with differences.",
    discussion: """
      The gradient of the mean negative log-likelihood of some samples, with what the run's regularisers add to it, with respect \
      to each layer's parameters, the samples and both times, by the steps that are taken (discrete) and by a solve backward \
      (continuous), beside central differences, in double precision: along the gradient itself, where the derivative is its length, \
      and for all parameters along a random direction. Adaptive steps are found once and repeated for the differences, since the \
      discrete gradient is that of the steps that were taken.

      The solver is that of evaluation; --solver, --trace and the like choose another, such as that of training. Errors of the \
      discrete gradient stay below 1e-7, but for activations with a kink (relu, elu), where a difference may reach across it. The \
      continuous one is as near as the steps make it; by finer steps, the last column, it comes nearer. Exit code 1 where one \
      of them does not.

      Example:
        cnf check-gradient runs/pinwheel --trace hutchinson
      """)

  @OptionGroup var target: RunArgument
  @Option(parsing: .unconditional, help: ArgumentHelp("Samples to check at, from 1 to 1000.", valueName: "count"))
  var samples = 4
  @OptionGroup(title: "Data") var selection: DataSelection
  @OptionGroup(title: "Condition") var context: ContextFlags
  @OptionGroup(title: "Solver") var solver: SolverFlags
  @OptionGroup(title: "Machine") var machine: MachineFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    guard 1...1000 ~= samples else {
      throw CommandFailure(.usage, "--samples is \(samples), must be from 1 to 1000")
    }
    let trained = try target.open(solver: solver, machine: machine)
    let flow = try trained.flow(for: "check-gradient")
    let method = trained.settings.evaluationSolver
    guard try Methods.named(method).hasDiscreteGradient else {
      throw CommandFailure(
        .usage, "solver is \(method), which has no discrete gradient to check: take another, such as dopri5")
    }
    let dataset = try trained.heldOut(instead: selection, context: context).dataset
    let points = dataset.continuousPoints(seed: trained.settings.seed)
    let rows = 0..<min(samples, points.count)
    let settings = trained.settings
    let check = try GradientCheck(
      of: flow, at: points.rows(rows), options: settings.evaluationSolverOptions,
      regularisation: Regularisation(kineticEnergy: settings.kinetic, frobeniusNorm: settings.frobenius),
      backend: settings.backendChoice, seed: settings.seed, context: dataset.context?.rows(rows))
    try output.json ? output.print(json(check)) : print(check)
    guard check.isDiscreteRight else {
      throw CommandFailure(
        .other, "the gradient is off by \(Format.scientific(check.worstError)), more than \(GradientCheck.tolerance)")
    }
    guard check.isContinuousRight else {
      throw CommandFailure(
        .other,
        "the continuous gradient, off by \(Format.scientific(check.worstContinuousError ?? .nan)), does not come nearer by finer steps"
      )
    }
  }

  private func print(_ check: GradientCheck) throws {
    var table = TextTable([
      .words("with respect to"), .numbers("numbers"), .numbers("discrete"), .numbers("continuous"),
      .numbers("differences"), .numbers("discrete error"), .numbers("continuous error"), .numbers("by finer steps"),
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
      "mean negative log-likelihood\(added) of \(check.sampleCount) samples, trace \(check.trace.rawValue), in double precision"
    )
    for line in table.lines { try Terminal.result(line) }
    try Terminal.result(verdict(check))
  }

  private func verdict(_ check: GradientCheck) -> String {
    let isRight = check.isDiscreteRight && check.isContinuousRight
    let discrete =
      "\(isRight ? "right" : "WRONG"): the discrete gradient is off by \(Format.scientific(check.worstError))"
    guard let continuous = check.worstContinuousError, let refined = check.worstRefinedError else {
      return discrete + "; there is no continuous one to compare"
    }
    return discrete
      + ", the continuous one by \(Format.scientific(continuous)), by finer steps \(Format.scientific(refined))"
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
