import ArgumentParser
import ContinuousFlows

/// How the differential equation is solved.
struct SolverFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Method: \(Methods.names.joined(separator: ", ")).", valueName: "name"))
  var solver: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Relative tolerance of adaptive steps.", valueName: "number"))
  var rtol: Double?

  @Option(parsing: .unconditional, help: ArgumentHelp("Absolute tolerance of adaptive steps.", valueName: "number"))
  var atol: Double?

  @Option(
    help: ArgumentHelp(
      "How adaptive steps follow their errors: \(SolverFlags.controllers.joined(separator: ", ")).",
      valueName: "name"))
  var controller: String?

  @Option(
    help: ArgumentHelp("Norm of a step's errors: rms, or max, which holds each to its tolerance.", valueName: "name"))
  var norm: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Take this many equal steps instead of adaptive ones.", valueName: "count"))
  var fixedSteps: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Take equal steps of this length instead of adaptive ones.", valueName: "time"))
  var stepSize: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Steps after which an adaptive solve gives up (default 4096).", valueName: "count"))
  var solverMaxSteps: Int?

  @Option(
    help: ArgumentHelp(
      "Divergence of the field: exact, hutchinson (random probes), or automatic (exact where that is cheap).",
      valueName: "name"))
  var trace: String?

  @Option(help: ArgumentHelp("Distribution of the probes: rademacher or gaussian.", valueName: "name"))
  var probe: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Probes per sample (default 1).", valueName: "count"))
  var probes: Int?

  /// What `--controller` may be, in words.
  static let controllers = ["integral", "proportional-integral", "pid:P,I,D"]

  /// As settings of training.
  var trainingSettings: SettingsLayer {
    get throws {
      try SettingsLayer(
        [
          .solver: solver, .rtol: rtol, .atol: atol, .fixedSteps: fixedSteps, .solverMaxSteps: solverMaxSteps,
          .controller: controller, .norm: norm, .trace: trace, .probe: probe, .probes: probes,
        ], shorthands: [.stepSize: stepSize])
    }
  }

  /// The settings that `evaluationSettings` may hold.
  static let evaluationKeys: [Settings.Key] = [
    .evaluationSolver, .evaluationRtol, .evaluationAtol, .evaluationFixedSteps, .solverMaxSteps, .controller, .norm,
    .evaluationTrace, .probe, .probes,
  ]

  /// As settings of what is done with a flow that is trained.
  var evaluationSettings: SettingsLayer {
    get throws {
      guard fixedSteps != 0 else {
        throw CommandFailure(
          .usage, "fixed-steps is 0, must be from 1 to 1000000: for adaptive steps give --rtol and --atol")
      }
      return try SettingsLayer(
        [
          .evaluationSolver: solver, .evaluationRtol: rtol, .evaluationAtol: atol, .evaluationFixedSteps: fixedSteps,
          .solverMaxSteps: solverMaxSteps, .controller: controller, .norm: norm, .evaluationTrace: trace,
          .probe: probe, .probes: probes,
        ], shorthands: [.evaluationStepSize: stepSize])
    }
  }
}
