import ContinuousFlows
import FlowPlots

/// Three kinds share one model type: a neural ODE, or residual blocks, between dense layers.
extension ModelKind {
  static let classifier = outputs("classifier", "classes by a neural ODE between dense layers", .solver) {
    $0.refusals.append(
      Refusal(.training) { settings in
        settings.targets <= 1
          ? nil : "targets is \(settings.targets), and a classifier has one column of classes: give --targets 1"
      })
    $0.prepare = { data, settings in settings.targets > 0 ? try data.withLabelsInLastColumn() : data.withoutNoise }
  }

  static let regression = outputs("regression", "targets by a neural ODE between dense layers", .solver) {
    $0.refusals.append(
      Refusal(.training) { settings in
        settings.targets > 0
          ? nil : "a regression needs targets: give --targets K if the last K columns of the file are targets"
      })
    $0.prepare = { data, settings in
      settings.targets > 0 ? try data.withTargets(lastColumns: settings.targets) : data.withoutNoise
    }
  }

  static let residualNetwork = outputs(
    "residual-network", "either, by residual blocks that share their weights", .residualBlocks
  ) {
    $0.reasons[.solver] = "its steps are --residual-steps"
    $0.adaptDefaults = { settings, source in
      adaptToOutputs(&settings, source)
      settings.residualSteps = 8
      settings.solver = .euler
      settings.evaluationSolver = .euler
      settings.fixedSteps = 1
      settings.evaluationFixedSteps = 1
    }
    $0.prepare = { data, settings in
      // Classes are what data have of their own; the last columns are targets.
      guard settings.targets > 0 else { return data.withoutNoise }
      let plain = Dataset(name: data.name, samples: data.samples, identifiers: data.identifiers)
      return try plain.withTargets(lastColumns: settings.targets)
    }
  }

  /// What the three have in common.
  private static func outputs(
    _ word: String, _ summary: String, _ feature: ModelFeature, changing change: (inout ModelKind) -> Void
  ) -> ModelKind {
    let features: Set<ModelFeature> = [.hiddenLayers, .freeField, .endTime, .outputs, .stepGradient, feature]
    return ModelKind(word, summary, NeuralODEModel.self, features: features) { kind in
      kind.adaptDefaults = adaptToOutputs
      kind.reasons = [
        .divergence: "it is not a density", .probes: "it is not a density", .base: "it is not a density",
        .penalties: "they are terms of a density's loss",
      ]
      kind.refusals = [
        Refusal(.training) { settings in
          guard settings.transform == .marginals else { return nil }
          return "transform marginals is for densities: give --transform standardise or none with --model "
            + settings.model.word
        }
      ]
      change(&kind)
    }
  }

  @Sendable private static func adaptToOutputs(_ settings: inout Settings, _ source: DatasetSource) {
    settings.transform = .standardise
    settings.activation = .tanh
    settings.hidden = [64]
    settings.batchSize = 128
    settings.learningRate = 5e-3
    settings.seconds = 0
    settings.steps = 1000
    settings.weightDecay = 1e-4
    settings.validationInterval = 100
    settings.augment = 2
    settings.solver = .dopri5
    settings.fixedSteps = 0
    settings.rtol = 1e-3
    settings.atol = 1e-3
    settings.averageDecay = 0.99
    settings.warmupSteps = 20
    if source == .digits { adaptToDigits(&settings) }
  }

  /// 97.5 % of the held-out digits, the mean of three seeds (`Documentation/neural-ode.md`), in about 15 s on two
  /// cores.
  private static func adaptToDigits(_ settings: inout Settings) {
    // Most pixels at the rim are almost constant; scaled to variance 1 they drown the others (96 %).
    settings.transform = .none
    settings.augment = 0
    settings.encoder = [64]
    settings.activation = .gelu
    settings.dropout = 0.3
    settings.weightDecay = 0.5
    settings.learningRate = 2e-3
    settings.solver = .rk4
    settings.fixedSteps = 4
    settings.steps = 800
  }
}

extension NeuralODEModel: RunModel {
  static let noun = "neural ODE with outputs"

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> NeuralODEModel {
    let training = split.train
    let transform: DataTransform =
      settings.transform == .standardise
      ? .standardising(training.samples) : .identity(dimension: training.dimension)
    let (task, outputs) = try task(for: split, settings: settings)
    try checkSize(settings, dimension: training.dimension, outputs: outputs)
    return NeuralODEModel(
      task: task, outputs: outputs, dimension: training.dimension, encoder: settings.encoder,
      augmentedDimensions: settings.augment, field: settings.architecture, head: settings.head,
      endTime: settings.endTime, seed: settings.seed, transform: transform,
      residualSteps: settings.residualSteps > 0 ? settings.residualSteps : nil)
  }

  /// What the model gives, and in how many columns. A residual network classifies data that have classes.
  private static func task(for split: DatasetSplit, settings: Settings) throws -> (Task, Int) {
    let classifies =
      settings.model == .residualNetwork ? split.train.labels != nil : settings.model == .classifier
    guard classifies else {
      guard let targets = split.train.targets else { throw DataError.noTargets(source: split.train.name) }
      return (.regression(targets: .standardising(targets)), targets.dimension)
    }
    // All parts: a rare class may be in none of the training samples.
    let labels = try [split.train, split.validation, split.test].flatMap { part in
      guard let labels = part.labels else { throw DataError.noLabels(source: part.name) }
      return labels
    }
    guard Set(labels).count > 1 else {
      throw CommandFailure(
        .badData,
        "\(settings.data.text) has only one class, \(labels.first ?? 0), so there is nothing to tell apart: bring samples "
          + "of at least two classes")
    }
    return (.classification, Int(labels.max() ?? 0) + 1)
  }

  /// Throws a usage failure if such a model would have too many parameters.
  private static func checkSize(_ settings: Settings, dimension: Int, outputs: Int) throws {
    let before = DenseNetwork(inputDimension: dimension, widths: settings.encoder)
    let state = before.outputDimension + settings.augment
    try settings.checkSize(dimension: state)
    let behind = DenseNetwork(inputDimension: state, widths: settings.head + [outputs])
    guard max(before.parameterCount, behind.parameterCount) <= Settings.mostParameters else {
      throw CommandFailure(
        .usage,
        "encoder and head are \(settings.encoder) and \(settings.head), which make more than \(Settings.mostParameters) "
          + "parameters: give narrower layers")
    }
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<NeuralODEModel> {
    task == .classification
      ? try CrossEntropy(model: self, training: split.train, options: settings.trainingOptions)
      : try SquaredError(model: self, training: split.train, options: settings.trainingOptions)
  }

  func report(on dataset: Dataset, against fitted: Dataset?, settings: Settings) throws -> HeldOutReport {
    let result = try evaluate(on: dataset, options: settings.evaluationSolverOptions, backend: settings.backend)
    return HeldOutReport(of: result, model: self, on: dataset, against: fitted)
  }

  func plotKinds(_ settings: Settings) -> [PlotKind] {
    dimension == 2 && task == .classification ? [.classes, .training] : [.training]
  }

  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot {
    let data = RunPlots.shownData(of: split, seed: run.settings.seed)
    let limits = (0..<2).map { DensityPlots<ContinuousFlow>.limits(of: data, column: $0) }
    let (x, y, cells) = (limits[0], limits[1], 160)
    let centers = DensityGrid.centers(rows: cells, columns: cells, x: x, y: y)
    let found = try predictions(
      for: SampleMatrix(count: cells * cells, dimension: 2, values: centers),
      options: run.settings.evaluationSolverOptions, backend: run.settings.backend)
    return ClassRegions(
      probabilities: found.probabilities.values, rows: cells, columns: cells,
      classes: outputDimension, x: x, y: y, points: data.values,
      labels: (split.test.labels ?? []).prefix(data.count).map { Int($0) }, title: run.settings.data.text)
  }
}
