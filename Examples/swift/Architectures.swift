import ContinuousFlows

/// Trains nets of several architectures on the same points: layers that see the time in FFJORD's ways, Fourier features of the time,
/// residual connections with norms, dropout with one mask for each solve.
func architectures() throws {
  let data = try DatasetSource("pinwheel").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  let options = TrainingOptions(
    steps: 200, batchSize: 256, learningRate: 2e-2, schedule: LearningRateSchedule(.cosine()), averageDecay: 0.95,
    solver: SolverOptions(method: "rk4", control: .fixed(steps: 4), trace: .automatic))

  // Weights W(t) = W₀ + Σ φₖ(t) Wₖ, by three tanh units φ of the time.
  let hyper = FieldArchitecture(hidden: [16, 16], activation: .tanh, layer: .hyper, hyperUnits: 3)
  // (W h + b) ∘ σ(G τ + g) + S τ + s, τ being sines and cosines of two frequencies that are learned.
  let squashed = FieldArchitecture(hidden: [24, 24], activation: .silu, layer: .concatsquash, timeFeatures: 2)
  // h + activation(norm(layer(h))), where the widths are the same.
  let normed = FieldArchitecture(hidden: [24, 24], activation: .silu, isResidual: true, hasLayerNorm: true)
  // In training alone; a sample keeps its mask from one end of its path to the other.
  let dropped = FieldArchitecture(hidden: [48, 48], activation: .tanh, dropout: 0.05)

  let gaussian = GaussianBaseline(fitting: split.train.points).meanLogDensity(of: split.test.points)
  print("Gaussian: \(gaussian) nats")
  for (name, architecture) in [("hyper", hyper), ("squashed", squashed), ("normed", normed), ("dropped", dropped)] {
    var flow = ContinuousFlow(
      dimension: 2, architecture: architecture, seed: 0, transform: .standardising(split.train.points))
    flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow
    print("\(name), \(flow.parameters.count) parameters: \(-(try flow.evaluate(on: split.test)).nllNats) nats")
  }
}
