import ContinuousFlows
import Foundation

/// Trains on data between 0 and 1 through the logit. The density is 0 outside the range and integrates to 1 inside.
func logitDensity() throws {
  let source = RandomSource(seed: 0, stream: .data)
  // Squares of uniform numbers, which are dense near 0.
  let values = (0..<UInt64(2_000)).map { sample -> Double in
    let u = source.uniform(sample: sample, dimension: 0)
    return u * u
  }
  let split = try Dataset(name: "squares", samples: SampleMatrix(count: 2_000, dimension: 1, values: values))
    .split(.fractions(validation: 0.1, test: 0.2))
  let logit = LogitTransform(alpha: LogitTransform.continuousAlpha)

  var flow = ContinuousFlow(dimension: 1, hidden: [24, 24], activation: .tanh)
  flow.transform = .logit(logit, standardising: split.train.samples)
  let options = TrainingOptions(steps: 200, batchSize: 256, learningRate: 1e-2, averageDecay: 0.99)
  flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow

  // The exact density is 1 / (2 √x), whose NLL is log 2 - 1 = -0.307 nats.
  print("held-out NLL: \(try flow.evaluate(on: split.test).nllNats) nats")
  let cells = 2_000
  let (low, high) = logit.range
  let width = (high - low) / Double(cells)
  let centres = (0..<cells).map { low + (Double($0) + 0.5) * width }
  let densities = try flow.logDensities(of: SampleMatrix(count: cells, dimension: 1, values: centres)).values
  print("integral of p: \(densities.reduce(0) { $0 + exp($1) } * width)")
  let outside = try flow.logDensities(of: SampleMatrix(count: 1, dimension: 1, values: [1.2])).values[0]
  print("log p(1.2): \(outside)")
}
