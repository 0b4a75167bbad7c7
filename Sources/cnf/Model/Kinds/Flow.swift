import ContinuousFlows

extension ModelKind {
  static let flow = ModelKind(
    "flow", "continuous normalizing flow", ContinuousFlow.self,
    features: ModelKind.featuresOfFlow
  ) { $0.objectives = [.likelihood, .flowMatching] }

  /// What a continuous flow with a free field has.
  static let featuresOfFlow: Set<ModelFeature> = [
    .hiddenLayers, .freeField, .endTime, .base, .context, .solver, .stepGradient, .divergence, .probes, .penalties,
    .randomEndTime,
  ]
}

extension ContinuousFlow: RunModel {
  static let noun = "flow"

  var continuousFlow: ContinuousFlow? { self }

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> ContinuousFlow {
    let contextKind = settings.fittedCondition(to: split.train)
    var architecture = settings.architecture
    architecture.contextDimension = contextKind?.contextDimension ?? 0
    try settings.checkSize(dimension: split.train.dimension, contextDimension: architecture.contextDimension)
    let (transform, base) = try settings.fitted(to: split.train)
    return ContinuousFlow(
      dimension: split.train.dimension, architecture: architecture, endTime: settings.endTime, seed: settings.seed,
      transform: transform, base: base, contextKind: contextKind)
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<ContinuousFlow> {
    guard settings.objective == .flowMatching else {
      return try MaximumLikelihood(flow: self, options: settings.trainingOptions)
    }
    return try FlowMatching(
      flow: self, path: settings.path, coupling: settings.coupling, contextShare: settings.contextShare,
      options: settings.trainingOptions)
  }
}
