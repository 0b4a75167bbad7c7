import ContinuousFlows
import FlowPlots

extension DiffusionModel: RunModel {
  static let noun = "diffusion"

  /// Its densities are those of this flow, too.
  var invertibleFlow: (any InvertibleFlow)? { probabilityFlow }

  static func fitDefaults(_ settings: inout Settings, to source: DatasetSource) {
    settings.objective = Objective.scoreMatching
    // A step is one evaluation a sample: many are cheap, and the noise in their gradients is what has to be averaged.
    if settings.seconds == 0 { settings.steps = 5000 }
    settings.averageDecay = 0.998
    settings.activation = "silu"
  }

  static func validate(_ settings: Settings) throws {
    guard settings.objective == Objective.scoreMatching else {
      throw CommandFailure(
        .usage, "objective is \(settings.objective), and a diffusion model is trained by score-matching: leave it out")
    }
    guard settings.kinetic == 0 && settings.frobenius == 0 else {
      throw CommandFailure(
        .usage,
        "objective is score-matching, which solves nothing that kinetic or frobenius could weigh: leave them out")
    }
    guard settings.base == "standard-normal" && settings.endTime == 1 else {
      throw CommandFailure(
        .usage,
        "\(settings.base == "standard-normal" ? "end-time" : "base") is what the diffusion says it is: leave it out")
    }
  }

  static func untrained(for training: Dataset, settings: Settings) throws -> DiffusionModel {
    try settings.validateSize(dimension: training.dimension)
    return DiffusionModel(
      process: settings.diffusionProcess, dimension: training.dimension, architecture: settings.architecture,
      seed: settings.seed, transform: try settings.dataTransform(for: training))
  }

  func objective(_ settings: Settings) throws -> any TrainingObjective<DiffusionModel> {
    try ScoreMatching(model: self, weighting: settings.scoreWeighting, options: settings.trainingOptions)
  }

  func plotKinds(_ settings: Settings) -> [PlotKind] { probabilityFlow.plotKinds(settings) }

  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot {
    if kind == .particles {
      return try probabilityFlow(from: DiffusionProcess.samplingCutoff).plot(kind, of: run, split: split)
    }
    let plots = DensityPlots(model: self, settings: run.settings, split: split)
    return kind == .samples ? try plots.samples() : try plots.density()
  }
}
