import ContinuousFlows

extension ModelKind {
  static let stacked = ModelKind(
    "stacked", "several flows in a row, see --blocks", StackedFlow.self,
    features: ModelKind.featuresOfFlow.subtracting([.context, .randomEndTime]).union([.blocks])
  ) {
    $0.isImplied = { $0.value(\.blocks) ?? 1 > 1 }
    $0.adaptDefaults = { settings, _ in settings.blocks = 2 }
  }
}

extension StackedFlow: RunModel {
  static let noun = "stacked flow"

  var pathFlow: (any PathModel)? { self }

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> StackedFlow {
    try settings.checkSize(dimension: split.train.dimension, parts: settings.blocks)
    let (transform, base) = try settings.fitted(to: split.train)
    return StackedFlow(
      dimension: split.train.dimension, blocks: settings.blocks, architecture: settings.architecture,
      endTime: settings.endTime, seed: settings.seed, transform: transform, base: base)
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<StackedFlow> {
    try StackedLikelihood(model: self, options: settings.trainingOptions)
  }
}
