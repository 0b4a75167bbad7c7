import ContinuousFlows

/// Trains a flow on two thousand samples of the pinwheel, computes densities, and draws samples.
func first() throws {
  var flow = ContinuousFlow(dimension: 2, hidden: [32, 32], activation: .tanh, endTime: 1, seed: 0)
  let data = try DatasetSource("pinwheel").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  flow.transform = .standardising(split.train.samples)

  let options = TrainingOptions(steps: 300, batchSize: 256, learningRate: 5e-3, averageDecay: 0.99)
  flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow

  let logDensities = try flow.logDensities(of: split.test.samples).values
  // The negative log-likelihood (NLL) per sample, in nats: lower is better.
  print(
    "NLL of \(logDensities.count) held-out samples: \(-logDensities.reduce(0, +) / Double(logDensities.count)) nats")
  let samples = try flow.samples(count: 1_000, seed: 1)
  print("first of \(samples.count) drawn samples: \(Array(samples[0]))")
}
