import ContinuousFlows
import Foundation

/// Learns the energy of a pendulum, H = 1 − cos q + p²/2, from states and their rates of change. Then solves for about
/// sixteen periods with a symplectic method, and prints how much the energy has changed.
func hamiltonian() throws {
  let source = RandomSource(seed: 1, stream: .data, step: 0)
  let rows = (0..<UInt64(500)).flatMap { sample -> [Double] in
    let q = 3 * source.uniform(sample: sample, dimension: 0) - 1.5
    let p = 3 * source.uniform(sample: sample, dimension: 1) - 1.5
    return [q, p, p, -sin(q)]
  }
  let data = Dataset(name: "pendulum", samples: SampleMatrix(count: 500, dimension: 4, values: rows))

  let architecture = HamiltonianArchitecture(hidden: [32, 32], isSeparable: true)
  var model = DynamicsModel(
    program: try architecture.program(stateDimension: 2),
    parameters: architecture.initialParameters(stateDimension: 2, seed: 0, lastLayerScale: 1))
  let options = TrainingOptions(steps: 1500, batchSize: 250, learningRate: 5e-3, averageDecay: 0.99)
  let objective = try DerivativeRegression(model: model, options: options)
  model = try Trainer(model: model, objective: objective, training: data, options: options).run().model
  print("mean squared error of rates: \(2 * (try objective.evaluate(model, on: data, seed: 0).nllNats))")

  let steps = SolverOptions(method: "leapfrog", control: .fixed(steps: 2000), trace: .none)
  let start = StateMatrix(count: 1, dimension: 2, values: [1, 0])
  let end = try model.equation(options: steps)(start, from: 0, to: 100)
  func energy(_ state: ArraySlice<Float>) -> Double {
    let (q, p) = (Double(state[state.startIndex]), Double(state[state.startIndex + 1]))
    return 1 - cos(q) + p * p / 2
  }
  print("relative change of the energy at t = 100: \(abs(energy(end[0]) / energy(start[0]) - 1))")
}
