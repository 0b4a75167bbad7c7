@testable import ContinuousFlows

/// A small run whose every feature is switched on: clipping, average, warm-up, cosine, decay, validation.
enum TrainingFixture {
  static let split: DatasetSplit = {
    let dataset = GeneratedDataset.pinwheel.dataset(count: 200, seed: 5)
    guard let split = try? dataset.split(.counts(validation: 40, test: 40)) else { preconditionFailure("no split") }
    return split
  }()

  static var flow: ContinuousFlow {
    ContinuousFlow(
      dimension: 2, hidden: [8], activation: .tanh, endTime: 0.5, seed: 7,
      transform: .standardising(split.train.samples))
  }

  static let regularisations = [Regularisation.none, Regularisation(kineticEnergy: 0.05, frobeniusNorm: 0.02)]

  static func options(
    steps: Int, backend: Backend, threads: Int? = nil, regularisation: Regularisation = .none
  ) -> TrainingOptions {
    TrainingOptions(
      steps: steps, batchSize: 32, learningRate: 1e-2,
      schedule: LearningRateSchedule(.cosine(finalFraction: 0.1), warmupSteps: 5),
      adam: Adam(weightDecay: .decoupled(0.01)), regularisation: regularisation, clipNorm: 0.5, averageDecay: 0.9,
      validationInterval: 20,
      checkpointInterval: 30, metricsInterval: 3, seed: 11,
      solver: SolverOptions(control: .perSample(rtol: 1e-3, atol: 1e-3), trace: .hutchinson, threads: threads),
      evaluationSolver: SolverOptions(control: .perSample(rtol: 1e-3, atol: 1e-3), threads: threads),
      backend: backend)
  }

  static func trainer(_ options: TrainingOptions, folder: RunFolder? = nil) throws -> Trainer<ContinuousFlow> {
    try Trainer(flow: flow, training: split.train, validation: split.validation, options: options, folder: folder)
  }
}

extension TrainingState {
  /// Everything that has to be the same in two equal runs: all except the time that they took.
  var withoutClock: TrainingState<Model> {
    var state = self
    state.seconds = 0
    return state
  }
}
