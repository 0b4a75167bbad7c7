import ContinuousFlows

extension ModelKind {
  static let diffusion = ModelKind(
    "diffusion", "diffusion model", DiffusionModel.self,
    features: [.hiddenLayers, .freeField, .solver, .stepGradient, .divergence, .probes]
  ) {
    $0.objectives = [.scoreMatching]
    $0.reasons = [.base: "the diffusion process sets it", .endTime: "the diffusion process sets it"]
    $0.isImplied = { $0.value(\.objective) == .scoreMatching }
    $0.adaptDefaults = { settings, _ in
      // A step is one evaluation per sample: many are cheap, and they average out the noise of their gradients.
      if settings.seconds == 0 { settings.steps = 5000 }
      settings.averageDecay = 0.998
      settings.activation = .silu
    }
  }
}

extension DiffusionModel: RunModel {
  static let noun = "diffusion"

  /// Its densities are those of this flow, too.
  var invertibleFlow: (any InvertibleFlow)? { probabilityFlow }

  var plottedFlow: (any PathModel)? { flow }

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> DiffusionModel {
    try settings.checkSize(dimension: split.train.dimension)
    return DiffusionModel(
      process: settings.process, dimension: split.train.dimension, architecture: settings.architecture,
      seed: settings.seed, transform: try settings.fittedTransform(to: split.train))
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<DiffusionModel> {
    try ScoreMatching(model: self, weighting: settings.weighting, options: settings.trainingOptions)
  }
}
