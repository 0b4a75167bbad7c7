import ContinuousFlows

/// Trains three kinds of flow on two thousand samples of the pinwheel, with the same trainer: coupling layers, one
/// affine map, and two continuous flows in a row.
func discrete() throws {
  let data = try DatasetSource("pinwheel").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  let transform = DataTransform.standardising(split.train.samples)
  var options = TrainingOptions(
    steps: 250, batchSize: 256, learningRate: 5e-3, schedule: LearningRateSchedule(.cosine()), averageDecay: 0.98)

  func report<Model: DensityModel>(_ name: String, _ model: Model, _ objective: some TrainingObjective<Model>) throws {
    let trained = try Trainer(
      model: model, objective: objective, training: split.train, validation: split.validation, options: options
    ).run().model
    print("\(name), \(model.parameters.count) parameters: NLL \(try trained.evaluate(on: split.test).nllNats) nats")
  }

  let coupling = CouplingFlow(dimension: 2, depth: 6, hidden: [24, 24], seed: 0, transform: transform)
  try report("coupling flow", coupling, ExactLikelihood(model: coupling, options: options))

  let affine = AffineFlow(dimension: 2, seed: 0, transform: transform)
  try report("affine flow", affine, ExactLikelihood(model: affine, options: options))

  options.solver = SolverOptions(method: "rk4", control: .fixed(steps: 4), trace: .automatic)
  let architecture = FieldArchitecture(hidden: [40, 40], activation: .tanh)
  let stacked = StackedFlow(
    dimension: 2, blocks: 2, architecture: architecture, endTime: 0.5, seed: 0, transform: transform)
  try report("two continuous blocks", stacked, StackedLikelihood(model: stacked, options: options))
}
