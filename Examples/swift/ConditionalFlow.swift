import ContinuousFlows

/// Learns p(x|c) of x = 2c + noise of deviation 0.5, draws from it at a c of choice, and finds classes by Bayes' rule.
func conditionalFlow() throws {
  let source = RandomSource(seed: 0, stream: .data)
  let rows = (0..<UInt64(2_000)).flatMap { sample -> [Float] in
    let (c, noise) = (source.normal(sample: sample, dimension: 0), source.normal(sample: sample, dimension: 1))
    return [Float(2 * c + 0.5 * noise), Float(c)]
  }
  // The last column is what is known, c.
  let data = try Dataset(name: "line", points: SampleMatrix(count: 2_000, dimension: 2, values: rows))
    .conditionedOnLastColumns(1)
  let split = try data.split(.fractions(validation: 0.1, test: 0.2))
  guard let context = split.train.context else { return }

  let architecture = FieldArchitecture(hidden: [24, 24], activation: .tanh, contextDimension: 1)
  var flow = ContinuousFlow(
    dimension: 1, architecture: architecture, transform: .standardising(split.train.points),
    condition: .columns(standardising: context))
  let options = TrainingOptions(steps: 300, batchSize: 256, learningRate: 1e-2, averageDecay: 0.99)
  flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow

  // The best there is: the noise's entropy, log(0.5 √(2πe)) = 0.726 nats.
  print("held-out log p(x|c): \(-(try flow.evaluate(on: split.test).nllNats)) nats")
  let one = SampleMatrix(count: 1_000, dimension: 1, values: Array(repeating: 1, count: 1_000))
  let (samples, logDensities) = try flow.samplesWithLogDensities(count: 1_000, seed: 1, context: one)
  print("mean of samples at c = 1: \(samples.values.reduce(0, +) / 1_000)")
  print("mean of their log p(x|c): \(logDensities.reduce(0, +) / 1_000) nats")
}
