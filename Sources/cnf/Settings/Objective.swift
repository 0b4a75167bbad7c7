import ContinuousFlows

/// What a step of training minimises, in the words of `--objective`, `--path` and `--coupling`.
enum Objective {
  static let likelihood = "likelihood"
  static let flowMatching = "flow-matching"
  static let paths: [(String, ProbabilityPath)] = [
    ("linear", .linear()), ("trigonometric", .trigonometric), ("variance-preserving", .variancePreserving()),
    ("interpolant", .stochasticInterpolant()),
  ]
  static let couplings: [(String, FlowMatching.Coupling)] = [
    ("independent", .independent), ("optimal-transport", .optimalTransport),
  ]
}
