import Testing

/// A folder with one small run, `run`, trained once for all tests that only read it.
enum TrainedFolder {
  /// Flags of a run of a second or two, for an objective that solves nothing.
  static let smallRunWithoutSolves = [
    "--data", "pinwheel", "--count", "400", "--hidden", "8,8", "--steps", "40", "--batch-size", "64",
    "--validation-interval", "20", "--checkpoint-interval", "20", "--evaluation-rtol", "1e-3", "--evaluation-atol",
    "1e-3",
  ]
  /// The same for maximum likelihood.
  static let smallRun = smallRunWithoutSolves + ["--rtol", "1e-3", "--atol", "1e-3"]

  static let shared = Result {
    let folder = try TemporaryFolder()
    let outcome = try Program.start(["train", "--out", "run", "--json"] + smallRun, in: folder).outcome()
    #expect(outcome.code == 0, "\(outcome.errors)")
    return (folder: folder, training: outcome)
  }

  /// The members of the JSON of `cnf evaluate`, which that of `cnf train` has too.
  static let evaluationKeys = [
    "count", "nll_nats", "nll_stderr", "bits_per_dim", "evaluations_mean", "evaluations_max", "failed",
  ]

  /// Runs `cnf` in the shared folder to its end.
  static func run(_ arguments: String...) throws -> Program.Outcome {
    try Program.start(arguments, in: shared.get().folder).outcome()
  }
}
