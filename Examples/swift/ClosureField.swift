import ContinuousFlows
import Foundation

/// Trains a field that you write yourself, without a net: a sum of Gaussian bumps with a velocity each,
/// `f(x) = Σₖ aₖ φₖ(x)`, `φₖ = exp(−|x − cₖ|² / 2s²)`. The centres cₖ are on a grid; the velocities aₖ are learned.
///
/// The closures receive tiles of samples. They return the value and three products of its derivatives. With these the
/// field has divergences, log-densities and exact gradients like any other. With d = x − cₖ, `∂φₖ/∂x = −φₖ d / s²`.
func closureField() throws {
  let side = 6
  let count = side * side
  let centres = (0..<count).map { k in (x: Float(k % side) - 2.5, y: Float(k / side) - 2.5) }
  let inverseSquare: Float = 1 / (0.9 * 0.9)

  /// φ and d/s² of bump k at lane j.
  @Sendable func bump(_ k: Int, _ x: Span<Float>, _ j: Int, _ lanes: Int) -> (value: Float, dx: Float, dy: Float) {
    let (dx, dy) = (x[j] - centres[k].x, x[lanes + j] - centres[k].y)
    return (exp(-0.5 * inverseSquare * (dx * dx + dy * dy)), inverseSquare * dx, inverseSquare * dy)
  }

  let functions = FieldCallback.Functions<Float>(
    evaluate: { lanes, _, x, a, y in
      for j in 0..<lanes {
        var (u, v): (Float, Float) = (0, 0)
        for k in 0..<count {
          let value = bump(k, x, j, lanes).value
          u += a[2 * k] * value
          v += a[2 * k + 1] * value
        }
        (y[j], y[lanes + j]) = (u, v)
      }
    },
    // ẏ = −Σ aₖ φₖ (d · ẋ) / s²
    tangent: { lanes, _, x, a, xDot, yDot in
      for j in 0..<lanes {
        var (u, v): (Float, Float) = (0, 0)
        for k in 0..<count {
          let b = bump(k, x, j, lanes)
          let change = -b.value * (b.dx * xDot[j] + b.dy * xDot[lanes + j])
          u += a[2 * k] * change
          v += a[2 * k + 1] * change
        }
        (yDot[j], yDot[lanes + j]) = (u, v)
      }
    },
    // x̄ = −Σ (aₖ · ȳ) φₖ d / s², āₖ += φₖ ȳ
    reverse: { lanes, _, x, a, yBar, xBar, _, aBar in
      for k in 0..<count {
        for j in 0..<lanes {
          let b = bump(k, x, j, lanes)
          let weight = -b.value * (a[2 * k] * yBar[j] + a[2 * k + 1] * yBar[lanes + j])
          xBar[j] += weight * b.dx
          xBar[lanes + j] += weight * b.dy
          aBar[2 * k] += b.value * yBar[j]
          aBar[2 * k + 1] += b.value * yBar[lanes + j]
        }
      }
    },
    // The derivatives of s = w · J ẋ = −Σ (aₖ · w) φₖ (d · ẋ) / s², where w is the cotangent of ẏ.
    tangentReverse: { lanes, _, x, a, xDot, w, xBar, xDotBar, _, aBar in
      for k in 0..<count {
        for j in 0..<lanes {
          let b = bump(k, x, j, lanes)
          let along = b.dx * xDot[j] + b.dy * xDot[lanes + j]
          let weight = -b.value * (a[2 * k] * w[j] + a[2 * k + 1] * w[lanes + j])
          xDotBar[j] += weight * b.dx
          xDotBar[lanes + j] += weight * b.dy
          xBar[j] += weight * (inverseSquare * xDot[j] - b.dx * along)
          xBar[lanes + j] += weight * (inverseSquare * xDot[lanes + j] - b.dy * along)
          aBar[2 * k] -= b.value * along * w[j]
          aBar[2 * k + 1] -= b.value * along * w[lanes + j]
        }
      }
    })

  var program = FieldProgram(stateDimension: 2)
  program.append(
    .callback(input: .state, rows: 2, FieldCallback(name: "bumps", parameterCount: 2 * count, float: functions)))

  let data = try DatasetSource("pinwheel").load(count: 2_000, seed: 0)
  let split = try data.split(.fractions(validation: 0.1, test: 0.1))
  var flow = ContinuousFlow(
    program: program, parameters: Array(repeating: 0, count: program.parameterCount),
    transform: .standardising(split.train.samples))
  let options = TrainingOptions(
    steps: 150, batchSize: 128, learningRate: 5e-2, schedule: LearningRateSchedule(.cosine()), averageDecay: 0.95,
    solver: SolverOptions(method: "rk4", control: .fixed(steps: 4)))
  print("untrained: NLL \(try flow.evaluate(on: split.test).nllNats) nats")
  flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow
  let gaussian = GaussianBaseline(fitting: split.train.samples).meanLogDensity(of: split.test.samples)
  print("Gaussian: NLL \(-gaussian) nats")
  let held = try flow.evaluate(on: split.test)
  print("bumps, \(flow.parameters.count) parameters: NLL \(held.nllNats) nats, by \(held.evaluationsMean) evaluations")
}
