import ContinuousFlows
import FlowIO

/// What `cnf train` has to say at its end.
struct TrainingOutcome {
  let result: TrainingResult<ContinuousFlow>
  let report: HeldOutReport
  let folder: RunFolder
  let plots: [String]

  /// As `cnf evaluate` on the held-out part, and how it came about.
  var json: JSONValue {
    .object(
      report.members + [
        ("steps", .integer(result.steps)), ("seconds", .number(result.seconds)),
        ("best_step", .integer(result.bestStep)), ("ending", .string(result.ending.rawValue)),
        ("run", .string(folder.path)), ("plots", .array(plots.map { .string($0) })),
      ])
  }

  /// For people.
  func print() throws {
    try Terminal.result(
      "trained \(result.steps) steps in \(Format.duration(result.seconds)); the best validation was at step "
        + "\(result.bestStep)")
    try report.print()
    try Terminal.result("run folder \(folder.path), with \(plots.count) plots in \(folder.plotsPath)")
  }
}
