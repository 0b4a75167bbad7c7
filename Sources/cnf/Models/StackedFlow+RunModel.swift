import ContinuousFlows
import FlowPlots

extension StackedFlow: RunModel {
  static let noun = "stacked flow"

  static func fitDefaults(_ settings: inout Settings, to source: DatasetSource) { settings.blocks = 2 }

  static func validate(_ settings: Settings) throws {
    try settings.refuseUniformBase()
    try settings.validateTrainingSolver()
  }

  static func untrained(for training: Dataset, settings: Settings) throws -> StackedFlow {
    try settings.validateSize(dimension: training.dimension, parts: settings.blocks)
    let (transform, base) = try settings.surroundings(of: training)
    return StackedFlow(
      dimension: training.dimension, blocks: settings.blocks, architecture: settings.architecture,
      endTime: settings.endTime, seed: settings.seed, transform: transform,
      base: base)
  }

  func objective(_ settings: Settings) throws -> any TrainingObjective<StackedFlow> {
    try StackedLikelihood(model: self, options: settings.trainingOptions)
  }

  func plotKinds(_ settings: Settings) -> [PlotKind] {
    if settings.data == Digits.name { return [.samples, .training] }
    return dimension == 2 ? [.density, .particles, .training] : [.training]
  }

  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot {
    let plots = DensityPlots(model: self, settings: run.settings, split: split)
    switch kind {
    case .samples: return try plots.samples()
    case .particles:
      let times = evenTimes(ParticlePaths.timeCount)
      return try ParticlePaths(at: times, title: run.settings.data) { count in
        try paths(
          count: count, seed: run.settings.seed, times: times, options: run.settings.evaluationSolverOptions,
          backend: run.settings.backendChoice)
      }
    default: return try plots.density()
    }
  }
}
