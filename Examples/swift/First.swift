import ContinuousFlows

/// Fits a flow to two thousand points of a pinwheel, asks it for densities, and draws from it.
func first() throws {
  var flow = ContinuousFlow(dimension: 2, hidden: [32, 32], activation: .tanh, endTime: 1, seed: 0)
  let data = try DatasetSource("pinwheel").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  flow.transform = .standardising(split.train.points)

  let options = TrainingOptions(steps: 300, batchSize: 256, learningRate: 5e-3, averageDecay: 0.99)
  flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow

  let logDensities = try flow.logDensities(of: split.test.points).values
  print(
    "log-likelihood of \(logDensities.count) held-out points: \(logDensities.reduce(0, +) / Double(logDensities.count)) nats"
  )
  let samples = try flow.samples(count: 1_000, seed: 1)
  print("the first of \(samples.count) samples: \(Array(samples[0]))")
}
