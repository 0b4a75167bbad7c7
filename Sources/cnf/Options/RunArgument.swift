import ArgumentParser

/// The run that a command looks at.
struct RunArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("A run folder, or the .safetensors file of a flow.", valueName: "run"))
  var run: String

  /// The run, with the settings of this call over its own.
  ///
  /// - Parameter others: of the call, beside those.
  func open(
    solver: SolverFlags, machine: MachineFlags, beside others: SettingsLayer = SettingsLayer()
  ) throws -> TrainedRun {
    try Kernels.instructionSet()
    return try TrainedRun(
      path: run, overrides: solver.evaluationSettings.overlaid(with: machine.settings).overlaid(with: others))
  }
}
