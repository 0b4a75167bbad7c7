import ContinuousFlows

/// Trains a flow whose end time is a parameter beside the field's, with a regulariser that makes short ways dear, and with ends
/// that move about in training (STEER).
func endTime() throws {
  let data = try DatasetSource("moons").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  let model = TimedFlow(
    ContinuousFlow(
      dimension: 2, hidden: [32, 32], activation: .tanh, endTime: 0.5, seed: 0,
      transform: .standardising(split.train.points)))
  var options = TrainingOptions(
    steps: 300, batchSize: 256, learningRate: 5e-3, regularisation: Regularisation(kineticEnergy: 0.05),
    averageDecay: 0.99)
  options.endTimeJitter = 0.1

  let trained = try Trainer(
    model: model, objective: TimedLikelihood(flow: model, options: options), training: split.train,
    validation: split.validation, options: options
  ).run().model
  print("end time: from \(model.flow.endTime) to \(trained.flow.endTime)")
  print("log-likelihood of held-out points: \(-(try trained.evaluate(on: split.test)).nllNats) nats")
}
