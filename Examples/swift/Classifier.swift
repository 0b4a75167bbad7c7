import ContinuousFlows

/// Classifies handwritten digits with a dense encoder, a neural ODE over 64 dimensions and a linear head.
func classifier() throws {
  let digits = try DatasetSource("digits").load().withoutNoise
  let split = try digits.split(DatasetSource.digits.splitSizes)
  let model = NeuralODEModel(
    task: .classification, outputs: 10, dimension: 64, encoder: [64],
    field: FieldArchitecture(hidden: [64], activation: .gelu, dropout: 0.3), seed: 0)

  let options = TrainingOptions(
    steps: 200, batchSize: 128, learningRate: 2e-3, schedule: LearningRateSchedule(.cosine(), warmupSteps: 20),
    adam: Adam(weightDecay: .decoupled(0.5)), clipNorm: 10, averageDecay: 0.99, validationInterval: 100,
    solver: SolverOptions(method: "rk4", control: .fixed(steps: 4), trace: .none))
  let objective = try CrossEntropy(model: model, training: split.train, options: options)
  let trained = try Trainer(
    model: model, objective: objective, training: split.train, validation: split.validation, options: options
  ).run().model

  let result = try trained.evaluate(on: split.test)
  print("accuracy on \(result.count) held-out digits: \(result.accuracy ?? .nan)")
  print("cross-entropy: \(result.nllNats) nats")
  let first = try trained.predictions(for: split.test.samples.rows(0..<5)).classes.map { $0.map(String.init) ?? "none" }
  print("classes of the first five: \(first.joined(separator: " "))")
}
