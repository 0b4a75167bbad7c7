import ContinuousFlows
import Foundation

/// Trains OT-Flow on a Gaussian, N((2, −1), I/4). Its paths are about as short as those of optimal transport from N(0,
/// I), whose cost is |m|² + tr(I + S − 2 S^(1/2)) = 5 + 2 (1 + 1/4 − 1) = 5.5.
func transport() throws {
  let source = RandomSource(seed: 1, stream: .data, step: 0)
  let rows = (0..<4000).map { place -> Double in
    let normal = source.normal(sample: UInt64(place / 2), dimension: place % 2)
    return (place % 2 == 0 ? 2 : -1) + normal / 2
  }
  let data = Dataset(name: "Gaussian", samples: SampleMatrix(count: 2000, dimension: 2, values: rows))

  let architecture = TransportArchitecture(width: 16)
  var flow = try ContinuousFlow(dimension: 2, transport: architecture, seed: 0)
  let options = TrainingOptions(
    steps: 400, batchSize: 256, learningRate: 1e-2, averageDecay: 0.95,
    solver: SolverOptions(method: "rk4", control: .fixed(steps: 6), trace: .exact))
  let objective = try TransportLikelihood(flow: flow, architecture: architecture, options: options)
  flow = try Trainer(model: flow, objective: objective, training: data, options: options).run().model

  let report = try flow.transportReport(count: 1000, seed: 1)
  print("mean squared displacement of optimal transport: 5.5")
  print("mean squared displacement of OT-Flow: \(report.squaredDisplacement)")
  print("its action: \(report.action); curves and changes of speed take \(100 * report.crookedness) %")
  print("NLL: \(try flow.evaluate(on: data).nllNats) nats")
}
