import ArgumentParser

/// How validation, the final figures and the plots of a run solve: more exactly than training has to.
struct EvaluationFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Method of validation and of later commands (default dopri5).", valueName: "name"))
  var evaluationSolver: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Its relative tolerance (default 1e-5).", valueName: "number"))
  var evaluationRtol: Double?

  @Option(parsing: .unconditional, help: ArgumentHelp("Its absolute tolerance (default 1e-5).", valueName: "number"))
  var evaluationAtol: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Its number of equal steps, instead of adaptive ones.", valueName: "count"))
  var evaluationFixedSteps: Int?

  @Option(help: ArgumentHelp("Its trace (default exact).", valueName: "name"))
  var evaluationTrace: String?

  var settings: SettingsLayer {
    get throws {
      try SettingsLayer([
        .evaluationSolver: evaluationSolver, .evaluationRtol: evaluationRtol, .evaluationAtol: evaluationAtol,
        .evaluationFixedSteps: evaluationFixedSteps, .evaluationTrace: evaluationTrace,
      ])
    }
  }
}
