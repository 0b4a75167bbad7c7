import ContinuousFlows

extension ModelKind {
  static let linear = ModelKind(
    "linear", "one affine map with a dense matrix, nothing is solved", LinearFlow.self, features: [.base])
}

extension LinearFlow: RunModel {
  static let noun = "linear flow"

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> LinearFlow {
    let (transform, base) = try settings.fitted(to: split.train)
    return LinearFlow(dimension: split.train.dimension, transform: transform, base: base)
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<LinearFlow> {
    try ExactLikelihood(model: self, options: settings.trainingOptions)
  }
}
