import ContinuousFlows
import Foundation

/// Learns where a pendulum, q″ = −sin q, is one unit of time later, from pairs of states before and after. The model is
/// a regression with a neural ODE inside. It learns a map of the plane, with the states in between.
func regression() throws {
  let set = pendulumPairs(count: 1_500, seed: 0)
  let split = try set.split(.fractions(validation: 0.1, test: 0.2))
  let model = NeuralODEModel(
    task: .regression(targets: .identity(dimension: 2)), outputs: 2, dimension: 2,
    field: FieldArchitecture(hidden: [32, 32], activation: .tanh, layer: .ignore), seed: 0)
  let options = TrainingOptions(
    steps: 1_500, batchSize: 128, learningRate: 1e-2, schedule: LearningRateSchedule(.cosine()), averageDecay: nil,
    validationInterval: 500, solver: SolverOptions(method: "rk4", control: .fixed(steps: 4), trace: .none))
  let objective = try SquaredError(model: model, training: split.train, options: options)
  let trained = try Trainer(
    model: model, objective: objective, training: split.train, validation: split.validation, options: options
  ).run().model

  let result = try trained.evaluate(on: split.test)
  print("mean squared error on \(result.count) held-out states: \(result.meanSquaredError ?? .nan)")
  let after = try trained.predictions(for: SampleMatrix(count: 1, dimension: 2, values: [2, 0])).outputs
  print("from rest at angle 2 to angle \(after.values[0]) and speed \(after.values[1])")
}

/// States (q, p), uniform in |q| ≤ 2.5, |p| ≤ 1.5, and the states at t = 1, by 100 steps of rk4. Their error is far
/// below Float's rounding.
private func pendulumPairs(count: Int, seed: UInt64) -> Dataset {
  let source = RandomSource(seed: seed, stream: .data)
  var (before, after): ([Double], [Double]) = ([], [])
  for sample in 0..<UInt64(count) {
    var q = 5 * source.uniform(sample: sample, dimension: 0) - 2.5
    var p = 3 * source.uniform(sample: sample, dimension: 1) - 1.5
    before += [q, p]
    let h = 0.01
    for _ in 0..<100 {
      let (q1, p1) = (p, -sin(q))
      let (q2, p2) = (p + h / 2 * p1, -sin(q + h / 2 * q1))
      let (q3, p3) = (p + h / 2 * p2, -sin(q + h / 2 * q2))
      let (q4, p4) = (p + h * p3, -sin(q + h * q3))
      q += h / 6 * (q1 + 2 * q2 + 2 * q3 + q4)
      p += h / 6 * (p1 + 2 * p2 + 2 * p3 + p4)
    }
    after += [q, p]
  }
  return Dataset(
    name: "pendulum", samples: SampleMatrix(count: count, dimension: 2, values: before),
    targets: SampleMatrix(count: count, dimension: 2, values: after))
}
