import ContinuousFlows
import FlowIO
import FlowPlots

/// A model that the program trains, keeps in run folders and looks at: what a `ModelKind` names.
protocol RunModel: TrainableModel {
  /// What figures call it.
  static var noun: String { get }

  /// Changes the defaults of a data set to what suits such a model.
  static func fitDefaults(_ settings: inout Settings, to source: DatasetSource)

  /// Throws a usage failure where these settings cannot train such a model.
  static func validate(_ settings: Settings) throws

  /// A model to begin with, which fits the data it will be trained on.
  static func untrained(for training: Dataset, settings: Settings) throws -> Self

  /// What a step of training minimises.
  func objective(_ settings: Settings) throws -> any TrainingObjective<Self>

  /// Itself as a continuous flow, for what only such can do; nil: it is none.
  var continuousFlow: ContinuousFlow? { get }

  /// Itself as a map between data and base, for checks of such; nil: it is none.
  var invertibleFlow: (any InvertibleFlow)? { get }

  /// The final figures on data that it was not trained on.
  ///
  /// - Parameter fitted: the samples that `dataset` was held out from, for baselines; nil for no comparison.
  func report(on dataset: Dataset, against fitted: Dataset?, settings: Settings) throws -> HeldOutReport

  /// Figures of its own kind that follow those; nil: none.
  func furtherFigures(on dataset: Dataset, settings: Settings) throws -> HeldOutReport?

  /// The pictures that suit it and the data it was trained on, the one that says most first.
  func plotKinds(_ settings: Settings) -> [PlotKind]

  /// Draws one of them but `training`, which is of the run's metrics.
  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot
}

extension RunModel {
  static func fitDefaults(_ settings: inout Settings, to source: DatasetSource) {}

  var continuousFlow: ContinuousFlow? { nil }
  var invertibleFlow: (any InvertibleFlow)? { continuousFlow }
  func furtherFigures(on dataset: Dataset, settings: Settings) throws -> HeldOutReport? { nil }
}

extension RunModel where Self: InvertibleFlow {
  var invertibleFlow: (any InvertibleFlow)? { self }
}

/// Most models of the program are densities.
extension RunModel where Self: DensityModel {
  func report(on dataset: Dataset, against fitted: Dataset?, settings: Settings) throws -> HeldOutReport {
    let result = try evaluate(
      on: dataset, options: settings.evaluationSolverOptions, backend: settings.backendChoice, seed: settings.seed)
    return HeldOutReport(
      of: result, noun: Self.noun,
      baseline: fitted.map { GaussianFigures(on: dataset, against: $0, seed: settings.seed) }
    ).followed(by: try furtherFigures(on: dataset, settings: settings))
  }

  func plotKinds(_ settings: Settings) -> [PlotKind] {
    if settings.data == Digits.name { return [.samples, .training] }
    return dimension == 2 ? [.density, .training] : [.training]
  }

  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot {
    let plots = DensityPlots(model: self, settings: run.settings, split: split)
    return kind == .samples ? try plots.samples() : try plots.density()
  }
}
