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

extension Settings {
  /// The objective that trains `flow`.
  func trainingObjective(for flow: ContinuousFlow) throws -> any TrainingObjective<ContinuousFlow> {
    guard objective == Objective.flowMatching else {
      return try MaximumLikelihood(flow: flow, options: trainingOptions)
    }
    return try FlowMatching(
      flow: flow, path: Objective.paths.first { $0.0 == path }?.1 ?? .linear(),
      coupling: Objective.couplings.first { $0.0 == coupling }?.1 ?? .independent, options: trainingOptions)
  }
}
