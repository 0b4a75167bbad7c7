import Testing

@testable import ContinuousFlows

/// Small models with a neural ODE inside, and runs with every feature switched on.
enum LayersFixture {
  static let split: DatasetSplit = {
    let dataset = GeneratedDataset.concentric.dataset(count: 200, seed: 5)
    // Targets in addition to the labels, for which any smooth function of the samples will do.
    let targets = (0..<dataset.count).flatMap { row -> [Double] in
      let (x, y) = (dataset.samples.values[2 * row], dataset.samples.values[2 * row + 1])
      return [x * x + y * y, 100 + 10 * x * y]
    }
    let both = Dataset(
      name: dataset.name, samples: dataset.samples, labels: dataset.labels,
      targets: SampleMatrix(count: dataset.count, dimension: 2, values: targets))
    guard let split = try? both.split(.counts(validation: 40, test: 40)) else { preconditionFailure("no split") }
    return split
  }()

  static let classifier = NeuralODEModel(
    classes: 2, dimension: 2, encoder: [3], augmentedDimensions: 1, hidden: [8], seed: 7,
    transform: .standardising(split.train.samples))

  static let regression = NeuralODEModel(
    task: .regression(targets: .standardising(split.train.targets ?? split.train.samples)), outputs: 2, dimension: 2,
    augmentedDimensions: 2, field: FieldArchitecture(hidden: [8], activation: .softplus, dropout: 0.1), head: [4],
    startTime: 1, endTime: 0.25, seed: 8, transform: .standardising(split.train.samples))

  static let residual = NeuralODEModel(
    classes: 2, dimension: 2, hidden: [8], seed: 9, transform: .standardising(split.train.samples), residualSteps: 3)

  static let models = [classifier, regression, residual]

  static func options(steps: Int, backend: Backend = .c, threads: Int? = nil) -> TrainingOptions {
    var options = TrainingFixture.options(steps: steps, backend: backend, threads: threads)
    options.solver.trace = .none
    options.evaluationSolver.trace = .none
    return options
  }

  static func objective(_ model: NeuralODEModel, _ options: TrainingOptions) throws -> any TrainingObjective<
    NeuralODEModel
  > {
    model.task == .classification
      ? try CrossEntropy(model: model, training: split.train, options: options)
      : try SquaredError(model: model, training: split.train, options: options)
  }

  static func trainer(
    _ model: NeuralODEModel, _ options: TrainingOptions, folder: RunFolder? = nil
  ) throws -> Trainer<NeuralODEModel> {
    try Trainer(
      model: model, objective: objective(model, options), training: split.train, validation: split.validation,
      options: options, folder: folder)
  }
}
