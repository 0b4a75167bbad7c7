import ContinuousFlows
import FlowPlots

extension ContinuousFlow: RunModel {
  static let noun = "flow"

  var continuousFlow: ContinuousFlow? { self }

  static func validate(_ settings: Settings) throws {
    guard settings.objective != Objective.scoreMatching else {
      throw CommandFailure(
        .usage, "objective is score-matching, which trains a diffusion model: give --model diffusion with it")
    }
    if settings.objective == Objective.flowMatching {
      guard settings.kinetic == 0 && settings.frobenius == 0 && settings.steer == 0 else {
        throw CommandFailure(
          .usage,
          "objective is flow-matching, which solves nothing that kinetic, frobenius or steer could weigh: leave them out"
        )
      }
      return
    }
    try settings.refuseUniformBase(or: ", or --objective flow-matching")
    try settings.validateTrainingSolver()
  }

  static func untrained(for training: Dataset, settings: Settings) throws -> ContinuousFlow {
    let condition = settings.fittedCondition(to: training)
    var architecture = settings.architecture
    architecture.contextDimension = condition?.contextDimension ?? 0
    try settings.validateSize(dimension: training.dimension, contextDimension: architecture.contextDimension)
    let (transform, base) = try settings.surroundings(of: training)
    return ContinuousFlow(
      dimension: training.dimension, architecture: architecture, endTime: settings.endTime, seed: settings.seed,
      transform: transform, base: base, condition: condition)
  }

  func objective(_ settings: Settings) throws -> any TrainingObjective<ContinuousFlow> {
    guard settings.objective == Objective.flowMatching else {
      return try MaximumLikelihood(flow: self, options: settings.trainingOptions)
    }
    return try FlowMatching(
      flow: self, path: Objective.paths.first { $0.0 == settings.path }?.1 ?? .linear(),
      coupling: Objective.couplings.first { $0.0 == settings.coupling }?.1 ?? .independent,
      options: settings.trainingOptions)
  }

  func plotKinds(_ settings: Settings) -> [PlotKind] {
    if settings.data == Digits.name { return [.samples, .training] }
    return dimension == 2 ? [.density, .particles, .training] : [.training]
  }

  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot {
    let plots = DensityPlots(model: self, settings: run.settings, split: split)
    switch kind {
    case .samples: return try classSamples(run.settings, split) ?? plots.samples()
    case .particles: return try particles(run.settings, split)
    default: return try plots.density()
    }
  }

  private func particles(_ settings: Settings, _ split: DatasetSplit) throws -> ParticlePaths {
    let times = evenTimes(ParticlePaths.timeCount)
    return try ParticlePaths(at: times, title: settings.data) { count in
      try paths(
        count: count, seed: settings.seed, times: times, options: settings.evaluationSolverOptions,
        backend: settings.backendChoice, context: split.heldOutContexts(count))
    }
  }
}
