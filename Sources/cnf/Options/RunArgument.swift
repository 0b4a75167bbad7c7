import ArgumentParser

/// The run that a command looks at.
struct RunArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("A run folder, or the .safetensors file of a flow.", valueName: "run"))
  var run: String

  /// The run, with the settings of this call over its own.
  func open(solver: SolverFlags, machine: MachineFlags) throws -> TrainedRun {
    try Kernels.instructionSet()
    return try TrainedRun(path: run, overrides: solver.evaluationSettings.overlaid(with: machine.settings))
  }
}
