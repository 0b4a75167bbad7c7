import ContinuousFlows

/// Trains a flow together with its end time. A regulariser makes fast paths expensive, so the time grows; random end
/// times in training (STEER) make the solution good around its end.
func endTime() throws {
  let data = try DatasetSource("moons").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  let model = TimedFlow(
    ContinuousFlow(
      dimension: 2, hidden: [32, 32], activation: .tanh, endTime: 0.5, seed: 0,
      transform: .standardising(split.train.samples)))
  var options = TrainingOptions(
    steps: 300, batchSize: 256, learningRate: 5e-3, regularisation: Regularisation(kineticEnergy: 0.05),
    averageDecay: 0.99)
  options.endTimeJitter = 0.1

  let trained = try Trainer(
    model: model, objective: TimedLikelihood(flow: model, options: options), training: split.train,
    validation: split.validation, options: options
  ).run().model
  print("end time: from \(model.flow.endTime) to \(trained.flow.endTime)")
  print("NLL of held-out samples: \(try trained.evaluate(on: split.test).nllNats) nats")
}
