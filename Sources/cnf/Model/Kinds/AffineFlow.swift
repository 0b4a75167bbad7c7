import ContinuousFlows

extension ModelKind {
  static let affine = ModelKind(
    "affine", "one affine map in triangular factors, nothing is solved", AffineFlow.self, features: [.base])
}

extension AffineFlow: RunModel {
  static let noun = "affine flow"

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> AffineFlow {
    let (transform, base) = try settings.fitted(to: split.train)
    return AffineFlow(dimension: split.train.dimension, seed: settings.seed, transform: transform, base: base)
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<AffineFlow> {
    try ExactLikelihood(model: self, options: settings.trainingOptions)
  }
}
