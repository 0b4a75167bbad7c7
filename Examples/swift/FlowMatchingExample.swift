import ContinuousFlows

/// Trains a field by flow matching, without solving the ODE. The result is a flow like any other, with densities.
func flowMatching() throws {
  let data = try DatasetSource("moons").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  let flow = ContinuousFlow(
    dimension: 2, hidden: [64, 64], activation: .silu, seed: 0, transform: .standardising(split.train.samples))
  let options = TrainingOptions(steps: 1_000, batchSize: 256, learningRate: 3e-3, averageDecay: 0.995)

  let objective = try FlowMatching(flow: flow, path: .linear(), coupling: .optimalTransport, options: options)
  let trained = try Trainer(
    model: flow, objective: objective, training: split.train, validation: split.validation, options: options
  ).run().model

  let result = try trained.evaluate(on: split.test)
  print("NLL of \(result.count) held-out samples: \(result.nllNats) nats")
  print("evaluations of the field per sample: \(result.evaluationsMean)")
}
