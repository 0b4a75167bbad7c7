import ContinuousFlows

/// Trains a flow with RNODE's regularisers in its loss, −log p(x) + w (∫ |f|² dt + ∫ ‖∂f/∂x‖²_F dt), and one without.
/// Regularised paths are straighter, so solves take fewer evaluations.
func regularised() throws {
  let data = try DatasetSource("moons").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.25))
  // `Regularisation` weighs the means ½ |f|² / D and ‖∂f/∂x‖² / D, so that a weight means the same in any dimension. A
  // weight w of the sums is then 2 D w and D w of these.
  let (weight, dimension) = (0.05, 2.0)
  for regularisation in [
    Regularisation.none,
    Regularisation(kineticEnergy: 2 * dimension * weight, frobeniusNorm: dimension * weight),
  ] {
    var flow = ContinuousFlow(
      dimension: 2, hidden: [32, 32], activation: .tanh, seed: 0, transform: .standardising(split.train.samples))
    let options = TrainingOptions(
      steps: 300, batchSize: 256, learningRate: 5e-3, regularisation: regularisation, averageDecay: 0.99,
      solver: SolverOptions(control: .perSample(rtol: 1e-3, atol: 1e-3), trace: .hutchinson))
    flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow
    let result = try flow.evaluate(on: split.test)
    let name = regularisation == .none ? "plain" : "regularised"
    print("\(name): evaluations of a held-out density: \(result.evaluationsMean)")
    print("\(name): held-out NLL: \(result.nllNats) nats")
  }
}
