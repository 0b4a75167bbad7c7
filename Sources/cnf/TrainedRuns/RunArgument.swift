import ArgumentParser

/// The run that a command looks at.
struct RunArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("A run folder, or the .safetensors file of a model.", valueName: "run"))
  var run: String

  /// The run, with the settings of this call over its own.
  func open(
    solver: SettingFlags<TrainedSolver>, machine: SettingFlags<TrainedMachine>, others: SettingsLayer = SettingsLayer()
  ) throws -> TrainedRun {
    try Kernels.instructionSet()
    let solver = try solver.layer
    if let steps = solver.value(\.evaluationFixedSteps), steps == 0 {
      throw CommandFailure(
        .usage, "fixed-steps is 0, must be from 1 to 1000000: for adaptive steps give --rtol and --atol")
    }
    return try TrainedRun(path: run, overrides: solver.overlaid(with: machine.layer).overlaid(with: others))
  }
}
