import ContinuousFlows

/// Trains a diffusion model on two thousand samples of the pinwheel, computes densities by its probability flow, and
/// draws samples in two ways.
func diffusion() throws {
  let data = try DatasetSource("pinwheel").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  var model = DiffusionModel(
    process: .variancePreserving(), dimension: 2,
    architecture: FieldArchitecture(hidden: [64, 64, 64], activation: .silu),
    transform: .standardising(split.train.samples))

  let options = TrainingOptions(
    steps: 2_500, batchSize: 512, learningRate: 1e-2, schedule: LearningRateSchedule(.cosine()), averageDecay: 0.99)
  let objective = try ScoreMatching(model: model, options: options)
  model = try Trainer(model: model, objective: objective, training: split.train, options: options).run().model

  let logDensities = try model.logDensities(of: split.test.samples).values
  print(
    "NLL of \(logDensities.count) held-out samples: \(-logDensities.reduce(0, +) / Double(logDensities.count)) nats")
  let flow = try model.samples(count: 500, seed: 2)
  let reverse = try model.samples(count: 500, seed: 3, by: .eulerMaruyama(steps: 500))
  let distance = EnergyDistance(between: flow, and: reverse, permutations: 199)
  print(
    "energy distance between samples of the flow and of reverse diffusion: \(distance.value), p = \(distance.pValue ?? 1)"
  )
}
