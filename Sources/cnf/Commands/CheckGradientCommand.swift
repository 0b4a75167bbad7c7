import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf check-gradient`: whether the gradient of a flow is the derivative of its log-likelihood.
struct CheckGradientCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-gradient",
    abstract: "Compare the gradient of a flow's likelihood with differences.",
    discussion: """
      The gradient of the mean negative log-likelihood of some samples, with respect to each layer's parameters, the samples and \
      both times, is compared with central differences of it, in double precision: along itself, where the derivative is its \
      length, and for all parameters along a random direction. Adaptive steps are found once and repeated for the differences, \
      since the gradient is that of the steps that were taken.

      The solver is that of evaluation; --solver, --trace and the like choose another, such as that of training. Errors stay below 1e-7, but for activations with a kink (relu, elu), where a difference may reach across it. Exit code 1 \
      where one is larger.

      Example:
        cnf check-gradient runs/pinwheel --trace hutchinson
      """)

  @OptionGroup var target: RunArgument
  @Option(parsing: .unconditional, help: ArgumentHelp("Samples to check at, from 1 to 1000.", valueName: "count"))
  var samples = 4
  @OptionGroup(title: "Data") var selection: DataSelection
  @OptionGroup(title: "Solver") var solver: SolverFlags
  @OptionGroup(title: "Machine") var machine: MachineFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    guard 1...1000 ~= samples else {
      throw CommandFailure(.usage, "--samples is \(samples), must be from 1 to 1000")
    }
    let trained = try target.open(solver: solver, machine: machine)
    let method = trained.settings.evaluationSolver
    guard try Methods.named(method).hasDiscreteGradient else {
      throw CommandFailure(
        .usage, "solver is \(method), which has no discrete gradient to check: take another, such as dopri5")
    }
    let dataset = try trained.heldOut(instead: selection).dataset
    let points = dataset.continuousPoints(seed: trained.settings.seed)
    let chosen = points.rows(0..<min(samples, points.count))
    let check = try GradientCheck(
      of: trained.flow, at: chosen, options: trained.settings.evaluationSolverOptions,
      backend: trained.settings.backendChoice, seed: trained.settings.seed)
    try output.json ? output.print(json(check)) : print(check)
    guard check.worstError < GradientCheck.tolerance else {
      throw CommandFailure(
        .other, "the gradient is off by \(Format.scientific(check.worstError)), more than \(GradientCheck.tolerance)")
    }
  }

  private func print(_ check: GradientCheck) throws {
    var table = TextTable([
      .words("with respect to"), .numbers("numbers"), .numbers("gradient"), .numbers("differences"), .numbers("error"),
    ])
    for row in check.rows {
      table.append([
        row.name, "\(row.count)", Format.decimal(row.gradient, digits: 9), Format.decimal(row.differences, digits: 9),
        Format.scientific(row.relativeError),
      ])
    }
    try Terminal.result(
      "mean negative log-likelihood of \(check.sampleCount) samples, trace \(check.trace.rawValue), in double precision"
    )
    for line in table.lines { try Terminal.result(line) }
  }

  private func json(_ check: GradientCheck) -> JSONValue {
    [
      "samples": .integer(check.sampleCount), "trace": .string(check.trace.rawValue),
      "worst_error": .number(check.worstError), "tolerance": .number(GradientCheck.tolerance),
      "rows": .array(
        check.rows.map {
          [
            "name": .string($0.name), "numbers": .integer($0.count), "gradient": .number($0.gradient),
            "differences": .number($0.differences), "error": .number($0.relativeError),
          ]
        }),
    ]
  }
}
