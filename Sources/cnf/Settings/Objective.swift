import ContinuousFlows

/// What a step of training minimises, in the words of `--objective`, `--path`, `--coupling`, `--process` and
/// `--weighting`.
enum Objective {
  static let likelihood = "likelihood"
  static let flowMatching = "flow-matching"
  static let scoreMatching = "score-matching"
  static let paths: [(String, ProbabilityPath)] = [
    ("linear", .linear()), ("trigonometric", .trigonometric), ("variance-preserving", .variancePreserving()),
    ("interpolant", .stochasticInterpolant()),
  ]
  static let couplings: [(String, FlowMatching.Coupling)] = [
    ("independent", .independent), ("optimal-transport", .optimalTransport),
  ]
  static let processes = DiffusionProcess.all.map { ($0.kind, $0) }
  static let weightings = ScoreMatching.Weighting.allCases.map { ($0.rawValue, $0) }
}
