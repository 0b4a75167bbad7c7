import ContinuousFlows
import FlowIO

/// What `cnf train` reports at its end.
struct TrainingOutcome {
  let steps: Int
  let seconds: Double
  let bestStep: Int
  let ending: TrainingEnding
  let report: HeldOutReport
  let folder: RunFolder
  let plots: [String]

  /// The figures of `cnf evaluate` on the held-out samples, and how training went.
  var json: JSONValue {
    .object(
      report.members + [
        ("steps", .integer(steps)), ("seconds", .number(seconds)),
        ("best_step", .integer(bestStep)), ("ending", .string(ending.rawValue)),
        ("run", .string(folder.path)), ("plots", .array(plots.map { .string($0) })),
      ])
  }

  /// For people.
  func print() throws {
    try Terminal.result(
      "trained \(steps) steps in \(Format.duration(seconds)); best validation at step \(bestStep)")
    try report.print()
    try Terminal.result("run folder \(folder.path), \(plots.count) plots in \(folder.plotsPath)")
  }
}
