import ContinuousFlows

/// Trains nets of several architectures on the same data: layers that see the time as in FFJORD, Fourier features of
/// the time, residual connections with layer norm, and dropout with one mask per solve.
func architectures() throws {
  let data = try DatasetSource("pinwheel").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  let options = TrainingOptions(
    steps: 200, batchSize: 256, learningRate: 2e-2, schedule: LearningRateSchedule(.cosine()), averageDecay: 0.95,
    solver: SolverOptions(method: "rk4", control: .fixed(steps: 4), trace: .automatic))

  // The weights depend on the time: W(t) = W₀ + Σ φₖ(t) Wₖ, with three tanh units φ.
  let hyper = FieldArchitecture(hidden: [16, 16], activation: .tanh, layer: .hyper, hyperUnits: 3)
  // (W h + b) ∘ σ(G τ + g) + S τ + s. The features τ are sines and cosines of two learned frequencies.
  let squashed = FieldArchitecture(hidden: [24, 24], activation: .silu, layer: .concatsquash, timeFeatures: 2)
  // h + activation(norm(layer(h))), for layers that keep the width.
  let normed = FieldArchitecture(hidden: [24, 24], activation: .silu, isResidual: true, hasLayerNorm: true)
  // Rows are dropped in training only. A sample keeps its mask along its whole path.
  let dropped = FieldArchitecture(hidden: [48, 48], activation: .tanh, dropout: 0.05)

  // Held-out quality is the negative log-likelihood (NLL) per sample, in nats: lower is better.
  let gaussian = GaussianBaseline(fitting: split.train.samples).meanLogDensity(of: split.test.samples)
  print("Gaussian: NLL \(-gaussian) nats")
  for (name, architecture) in [("hyper", hyper), ("squashed", squashed), ("normed", normed), ("dropped", dropped)] {
    var flow = ContinuousFlow(
      dimension: 2, architecture: architecture, seed: 0, transform: .standardising(split.train.samples))
    flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow
    print("\(name), \(flow.parameters.count) parameters: NLL \(try flow.evaluate(on: split.test).nllNats) nats")
  }
}
