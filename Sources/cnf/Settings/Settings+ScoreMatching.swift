import ContinuousFlows

extension Settings {
  /// The words of score matching, which have to be left as they are for other objectives.
  func validateScoreMatching() throws {
    try require(process, .process, among: Objective.processes.map(\.0))
    try require(weighting, .weighting, among: Objective.weightings.map(\.0))
    let defaults = Settings.defaults(for: .digits)
    guard objective == Objective.scoreMatching || (process == defaults.process && weighting == defaults.weighting)
    else {
      let key: Key = process == defaults.process ? .weighting : .process
      throw CommandFailure(
        .usage, "\(key.rawValue) is of score matching, and objective is \(objective): give --objective score-matching")
    }
  }

  var diffusionProcess: DiffusionProcess { Objective.processes.first { $0.0 == process }?.1 ?? .variancePreserving() }

  var scoreWeighting: ScoreMatching.Weighting { ScoreMatching.Weighting(rawValue: weighting) ?? .noise }
}
