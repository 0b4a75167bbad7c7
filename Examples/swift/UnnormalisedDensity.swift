import ContinuousFlows
import Foundation

/// Fits a flow to a density that is known up to a factor, e^(−V(x)), without data. The loss is your own: a function of
/// the states at which base samples arrive. Training minimises the mean of V(x) − log-determinant. That is the
/// Kullback-Leibler divergence KL(q ‖ e^(−V)/Z), plus the entropy of the base, minus log Z.
func unnormalisedDensity() throws {
  // A curved Gaussian, V = x₀²/2 + (x₁ − x₀² + 1)² / (2 · 0.5²), so Z = 2π · 0.5.
  let width = 0.5
  let loss: StateLoss.Function = { solved, _ in
    var cotangents = SampleCotangents(for: solved)
    for sample in 0..<solved.count {
      let (x, y) = (Double(solved.states[2 * sample]), Double(solved.states[2 * sample + 1]))
      let off = (y - x * x + 1) / (width * width)
      cotangents.losses[sample] = 0.5 * x * x + 0.5 * width * width * off * off - solved.logDeterminants[sample]
      cotangents.states[2 * sample] = Float(x - 2 * x * off)
      cotangents.states[2 * sample + 1] = Float(off)
      cotangents.logDeterminants[sample] = -1
    }
    return cotangents
  }

  // The values of this data set are not used. Row i stands for base sample i.
  let rows = Dataset(
    name: "rows", samples: SampleMatrix(count: 4_000, dimension: 2, values: Array(repeating: 0, count: 8_000)))
  var flow = ContinuousFlow(dimension: 2, hidden: [32, 32], activation: .tanh, endTime: 1, seed: 0)
  let options = TrainingOptions(
    steps: 400, batchSize: 256, learningRate: 1e-2, schedule: LearningRateSchedule(.cosine()), averageDecay: nil,
    solver: SolverOptions(method: "rk4", control: .fixed(steps: 8)))
  let objective = try StateLoss(flow: flow, from: .base, options: options, loss: loss)
  flow = try Trainer(model: flow, objective: objective, training: rows, options: options).run().model

  // The divergence itself, by samples of another seed: the mean of log q(x) + V(x) + log Z.
  let (samples, logDensities) = try flow.samplesWithLogDensities(count: 4_000, seed: 9)
  let logFactor = log(2 * Double.pi * width)
  let divergence =
    (0..<samples.count).reduce(0.0) { sum, sample in
      let (x, y) = (samples.values[2 * sample], samples.values[2 * sample + 1])
      let off = (y - x * x + 1) / width
      return sum + logDensities[sample] + 0.5 * x * x + 0.5 * off * off + logFactor
    } / Double(samples.count)
  print("Kullback-Leibler divergence from the density: \(divergence) nats")
  let mean = (0..<samples.count).reduce(0.0) { $0 + Double(samples.values[2 * $1]) } / Double(samples.count)
  print("mean of the first column: \(mean)")
}
