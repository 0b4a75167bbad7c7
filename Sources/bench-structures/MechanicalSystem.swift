import ContinuousFlows
import Foundation

/// A system whose energy is known in closed form, to train models and to judge their paths.
struct MechanicalSystem: Sendable {
  let name: String
  /// Dimension of the state (q, p).
  let dimension: Int
  /// Length of the paths; the paper uses 20.
  let duration: Double
  /// H(q, p).
  let energy: @Sendable ([Double]) -> Double
  /// (∂H/∂p, −∂H/∂q).
  let rates: @Sendable ([Double]) -> [Double]
  /// A state in the training region, from five uniform numbers in [0, 1).
  let state: @Sendable ([Double]) -> [Double]

  /// H = 3 (1 − cos q) + p², with energies from 1.3 to 2.3, as in the code of Greydanus et al. 2019.
  static let pendulum = MechanicalSystem(
    name: "pendulum", dimension: 2, duration: 100,
    energy: { 3 * (1 - cos($0[0])) + $0[1] * $0[1] },
    rates: { [2 * $0[1], -3 * sin($0[0])] },
    state: { uniform in
      // Starts at rest at the angle of an energy, then moves to a random place on that energy's curve: q within the
      // turning points.
      let energy = 1.3 + uniform[0]
      let turning = acos(1 - energy / 3)
      let q = turning * sin(2 * .pi * uniform[1])
      let p = max(0, energy - 3 * (1 - cos(q))).squareRoot()
      return [q, uniform[2] < 0.5 ? p : -p]
    })

  /// Two unit masses in a plane under gravity, in relative coordinates q = r₂ − r₁: H = |p|² − 1/|q|, with reduced mass
  /// one half. Orbits are close to circles of radius 1 to 2, with velocities off by up to 5 %.
  static let twoBody = MechanicalSystem(
    name: "two-body", dimension: 4, duration: 100,
    energy: { $0[2] * $0[2] + $0[3] * $0[3] - 1 / ($0[0] * $0[0] + $0[1] * $0[1]).squareRoot() },
    rates: { state in
      let distance = (state[0] * state[0] + state[1] * state[1]).squareRoot()
      let pull = 1 / (distance * distance * distance)
      return [2 * state[2], 2 * state[3], -pull * state[0], -pull * state[1]]
    },
    state: { uniform in
      let distance = 1 + uniform[0]
      let angle = 2 * Double.pi * uniform[1]
      // On a circle 2 |p|² = 1/|q|.
      let speed = (0.5 / distance).squareRoot() * (1 + 0.05 * (2 * uniform[2] - 1))
      let heading = angle + .pi / 2 + 0.05 * (2 * uniform[3] - 1)
      return [distance * cos(angle), distance * sin(angle), speed * cos(heading), speed * sin(heading)]
    })

  /// Standard deviation of the noise added to every rate, as in the paper.
  static let noise = 0.1

  /// `count` rows (x, dx/dt + noise).
  func dataset(count: Int, seed: UInt64, noise: Double = noise) -> Dataset {
    let source = RandomSource(seed: seed, stream: .data, step: 0)
    var values: [Double] = []
    for sample in 0..<UInt64(count) {
      let state = state(Self.uniforms(source, sample))
      let rates = rates(state).enumerated().map { row, rate in
        // The sample's first blocks of random numbers belong to the state.
        rate + noise * source.normal(sample: sample, dimension: 16 + row)
      }
      values += state + rates
    }
    return Dataset(name: name, samples: SampleMatrix(count: count, dimension: 2 * dimension, values: values))
  }

  /// Initial states, `[count][D]`.
  func states(count: Int, seed: UInt64) -> [Double] {
    let source = RandomSource(seed: seed, stream: .data, step: 1)
    return (0..<UInt64(count)).flatMap { state(Self.uniforms(source, $0)) }
  }

  private static func uniforms(_ source: RandomSource, _ sample: UInt64) -> [Double] {
    (0..<5).map { source.uniform(sample: sample, dimension: $0) }
  }
}
