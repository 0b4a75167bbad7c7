import ContinuousFlows
import Foundation

/// Learns p(x given c) for x = 2c + noise of deviation 0.5, and draws samples at a chosen c. Then learns p(x given
/// class), and finds classes by Bayes' rule.
func conditionalFlow() throws {
  let source = RandomSource(seed: 0, stream: .data)
  let rows = (0..<UInt64(2_000)).flatMap { sample -> [Double] in
    let (c, noise) = (source.normal(sample: sample, dimension: 0), source.normal(sample: sample, dimension: 1))
    return [2 * c + 0.5 * noise, c]
  }
  // The last column is the context, c.
  let data = try Dataset(name: "line", samples: SampleMatrix(count: 2_000, dimension: 2, values: rows))
    .conditionedOnLastColumns(1)
  let split = try data.split(.fractions(validation: 0.1, test: 0.2))
  guard let context = split.train.context else { return }

  let architecture = FieldArchitecture(hidden: [24, 24], activation: .tanh, contextDimension: 1)
  var flow = ContinuousFlow(
    dimension: 1, architecture: architecture, transform: .standardising(split.train.samples),
    contextKind: .columns(standardising: context))
  let options = TrainingOptions(steps: 300, batchSize: 256, learningRate: 1e-2, averageDecay: 0.99)
  flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow

  // No model has a lower NLL than the entropy of the noise, log(0.5 √(2πe)) = 0.726 nats.
  print("held-out NLL of x given c: \(try flow.evaluate(on: split.test).nllNats) nats")
  let one = SampleMatrix(count: 1_000, dimension: 1, values: Array(repeating: 1, count: 1_000))
  let (samples, logDensities) = try flow.samplesWithLogDensities(count: 1_000, seed: 1, context: one)
  print("mean of samples at c = 1: \(samples.values.reduce(0, +) / 1_000)")
  print("NLL of these samples: \(-logDensities.reduce(0, +) / 1_000) nats")

  try classesByBayesRule()
}

/// Two classes that overlap: N(−1, 1) with probability 0.7, else N(1, 1). The exact posterior is
/// p(second | x) = 1 / (1 + (7/3) e^(−2x)). The best rule, x > ½ log(7/3), is right for 86.1 % of the samples.
private func classesByBayesRule() throws {
  let source = RandomSource(seed: 1, stream: .data)
  let labels = (0..<UInt64(4_000)).map { UInt8(source.uniform(sample: $0, dimension: 8) < 0.7 ? 0 : 1) }
  let points = labels.indices.map { source.normal(sample: UInt64($0), dimension: 0) + 2 * Double(labels[$0]) - 1 }
  let set = Dataset(
    name: "two classes", samples: SampleMatrix(count: 4_000, dimension: 1, values: points), labels: labels)
  // The context of a sample is its class, one-hot in two columns. The flow remembers the frequencies of the classes,
  // p(c).
  let split = try set.conditionedOnLabels(classes: 2).split(.fractions(validation: 0.1, test: 0.5))
  guard let trainingLabels = split.train.labels, let testLabels = split.test.labels else { return }
  let options = TrainingOptions(steps: 200, batchSize: 256, learningRate: 1e-2, averageDecay: 0.99)
  var flow = ContinuousFlow(
    dimension: 1, architecture: FieldArchitecture(hidden: [16], activation: .tanh, contextDimension: 2),
    transform: .standardising(split.train.samples), contextKind: .classes(2, counting: trainingLabels))
  flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow

  let accuracy = try flow.classDensities(of: split.test.samples).accuracy(labels: testLabels)
  print("accuracy of Bayes' rule on \(split.test.count) held-out samples: \(accuracy)")
  let middle = try flow.classDensities(of: SampleMatrix(count: 1, dimension: 1, values: [0]))
  print("p(second class | x = 0): \(exp(middle.logPosteriors[1]))")
}
