import ContinuousFlows
import FlowIO
import FlowPlots

/// A model as the program trains, saves, evaluates, samples and plots it: the type of a `ModelKind`.
protocol RunModel: TrainableModel {
  /// What tables of figures call it.
  static var noun: String { get }

  /// A model to start from, which fits the data it will be trained on.
  static func untrained(for split: DatasetSplit, settings: Settings) throws -> Self

  /// What a step of training minimises.
  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<Self>

  /// The model as a continuous flow; nil: it is none.
  var continuousFlow: ContinuousFlow? { get }

  /// The model as a map between data and base; nil: it is none.
  var invertibleFlow: (any InvertibleFlow)? { get }

  /// The model as a flow whose samples can be shown on their paths from base to data; nil: it is none.
  var pathFlow: (any PathModel)? { get }

  /// The flow whose paths are plotted; nil: none.
  var plottedFlow: (any PathModel)? { get }

  /// The final figures on data that it was not trained on.
  ///
  /// - Parameter fitted: the samples that `dataset` was held out from, for baselines; nil for no comparison.
  func report(on dataset: Dataset, against fitted: Dataset?, settings: Settings) throws -> HeldOutReport

  /// Figures of its own kind that follow those; nil: none.
  func furtherFigures(on dataset: Dataset, settings: Settings) throws -> HeldOutReport?

  /// The plots that suit it and the data it was trained on, the most telling one first.
  func plotKinds(_ settings: Settings) -> [PlotKind]

  /// Draws one of them, except `training` and `evaluations`, which show the run's metrics.
  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot
}

extension RunModel {
  var continuousFlow: ContinuousFlow? { nil }
  var invertibleFlow: (any InvertibleFlow)? { continuousFlow }
  var pathFlow: (any PathModel)? { continuousFlow }
  var plottedFlow: (any PathModel)? { pathFlow }
  func furtherFigures(on dataset: Dataset, settings: Settings) throws -> HeldOutReport? {
    try continuousFlow?.classFigures(on: dataset, settings: settings)
  }
}

extension RunModel where Self: InvertibleFlow {
  var invertibleFlow: (any InvertibleFlow)? { self }
}

/// Most models of the program are densities.
extension RunModel where Self: DensityModel {
  func report(on dataset: Dataset, against fitted: Dataset?, settings: Settings) throws -> HeldOutReport {
    let result = try evaluate(
      on: dataset, options: settings.evaluationSolverOptions, backend: settings.backend, seed: settings.seed)
    return HeldOutReport(
      of: result, noun: Self.noun,
      baseline: fitted.map { GaussianFigures(on: dataset, against: $0, seed: settings.seed) }
    ).followed(by: try furtherFigures(on: dataset, settings: settings))
  }

  func plotKinds(_ settings: Settings) -> [PlotKind] {
    if settings.data == .digits { return [.samples, .training] }
    guard dimension == 2 else { return [.training] }
    return [.density] + (plottedFlow == nil ? [] : [.paths]) + [.training]
  }

  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot {
    let plots = DensityPlots(model: self, settings: run.settings, split: split)
    if kind == .paths, let flow = plottedFlow { return try plots.paths(of: flow) }
    if kind == .samples { return try continuousFlow?.classSamples(run.settings, split) ?? plots.samples() }
    return try plots.density()
  }
}
