import ArgumentParser
import ContinuousFlows

/// The run that a command looks at.
struct RunArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("A run folder, or the .safetensors file of a model.", valueName: "run"))
  var run: String

  /// The run, with the settings of this call over its own.
  func open(
    solver: SettingFlags<TrainedSolver>, machine: SettingFlags<TrainedMachine>, others: SettingsLayer = SettingsLayer(),
    states: StateTypeFlag? = nil
  ) throws -> TrainedRun {
    try Kernels.instructionSet()
    let solver = try solver.layer
    if let steps = solver.value(\.evaluationFixedSteps), steps == 0 {
      throw CommandFailure(
        .usage, "fixed-steps is 0, must be from 1 to 1000000: for adaptive steps give --rtol and --atol")
    }
    return try TrainedRun(
      path: run, overrides: solver.overlaid(with: machine.layer).overlaid(with: others),
      stateType: try states?.stateType)
  }
}

/// The type of states, for commands that look at densities.
struct StateTypeFlag: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Type of states: float32, or float64, which solves the same model in double (default: float32). Take float64 for "
        + "tolerances below about 1e-6, where float32 has rounding errors of the same size.", valueName: "type"))
  var dtype: String?

  /// - Throws: a usage failure for another word.
  fileprivate var stateType: StateType? {
    get throws {
      guard let dtype else { return nil }
      guard let type = StateType(rawValue: dtype) else {
        throw CommandFailure(
          .usage,
          "dtype '\(dtype)' is not known: \(Suggestion.sentence(for: dtype, among: StateType.allCases.map(\.rawValue)))"
        )
      }
      return type
    }
  }
}
