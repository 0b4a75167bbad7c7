import Foundation

@testable import ContinuousFlows

/// Data of the distribution N(μ, S), whose diffused score is known and linear in x. With `S = R diag(λ) Rᵀ` and w =
/// Rᵀx, x at s is N(m μ, m² S + σ² I), and the components of w are independent. So everything that a diffusion model
/// computes has a closed form.
struct GaussianDiffusion {
  let process: DiffusionProcess
  let dimension: Int
  /// Rᵀμ.
  let mean: [Double]
  /// λ.
  let variances: [Double]
  /// `[D][D]`, orthogonal: one Householder reflection.
  private let rotation: [[Double]]

  /// - Parameter variances: of the first directions; the rest begins again from the first.
  init(_ process: DiffusionProcess, dimension: Int, variances: [Double] = [0.3, 1.7, 0.05, 1.0, 0.6]) {
    self.process = process
    self.dimension = dimension
    mean = (0..<dimension).map { 0.4 * Double($0 % 3) - 0.3 }
    self.variances = (0..<dimension).map { variances[$0 % variances.count] }
    let normal = (0..<dimension).map { 1 + Double($0) }
    let square = normal.reduce(0) { $0 + $1 * $1 }
    rotation = (0..<dimension).map { row in
      (0..<dimension).map { (row == $0 ? 1 : 0) - 2 * normal[row] * normal[$0] / square }
    }
  }

  /// w of x, and also x of w, because a reflection is its own inverse.
  func turned(_ x: [Double]) -> [Double] { rotation.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } } }

  /// Mean and variance of w at s.
  func moments(at s: Double) -> (mean: [Double], variance: [Double]) {
    let (m, deviation) = (process.meanFactor(at: s), process.deviation(at: s))
    return (mean.map { m * $0 }, variances.map { m * m * $0 + deviation * deviation })
  }

  /// The score of w at s, component by component.
  func score(_ w: [Double], at s: Double) -> [Double] {
    let (mean, variance) = moments(at: s)
    return w.indices.map { -(w[$0] - mean[$0]) / variance[$0] }
  }

  /// The image of w from s to s′ under the probability flow. Each component stays the same number of deviations from
  /// its mean.
  func carried(_ w: [Double], from s: Double, to end: Double) -> [Double] {
    let (before, after) = (moments(at: s), moments(at: end))
    return w.indices.map {
      after.mean[$0] + (w[$0] - before.mean[$0]) * (after.variance[$0] / before.variance[$0]).squareRoot()
    }
  }

  func logDensity(_ w: [Double], at s: Double) -> Double {
    let (mean, variance) = moments(at: s)
    return w.indices.reduce(0) { $0 + Self.logNormal(w[$1], mean[$1], variance[$1]) }
  }

  static func logNormal(_ x: Double, _ mean: Double, _ variance: Double) -> Double {
    -0.5 * ((x - mean) * (x - mean) / variance + log(2 * Double.pi * variance))
  }

  /// A model with the exact net `u = E[d x₀ − c ε | y]`. By hand, `uᵢ = d (c (λᵢ − 1) wᵢ + νᵢ) / (c² λᵢ + d²)` with w =
  /// Rᵀy and ν = Rᵀμ.
  var model: DiffusionModel {
    let start = atan2(process.deviation(at: 1), process.meanFactor(at: 1))
    var program = FieldProgram(stateDimension: dimension)
    program.append(
      .callback(
        input: .state, rows: dimension,
        linear { t, w, isTangent in
          let (c, d) = (cos(start - t), sin(start - t))
          return w.indices.map {
            d * (c * (variances[$0] - 1) * w[$0] + (isTangent ? 0 : mean[$0])) / (c * c * variances[$0] + d * d)
          }
        }))
    return DiffusionModel(process: process, program: program, parameters: [])
  }

  /// The probability flow in the time and coordinates of the paper, in Double: `dx/ds = f x − ½ g² ∇log p`.
  var fieldInPaperTime: FieldProgram {
    var program = FieldProgram(stateDimension: dimension)
    program.append(
      .callback(
        input: .state, rows: dimension,
        linear { s, w, isTangent in
          let (drift, diffusion) = (process.drift(at: s), process.diffusion(at: s))
          let (mean, variance) = moments(at: s)
          return w.indices.map {
            drift * w[$0] + 0.5 * diffusion * diffusion * (w[$0] - (isTangent ? 0 : mean[$0])) / variance[$0]
          }
        }))
    return program
  }

  /// A callback for a field that is linear up to a constant. `field` gives it in terms of w: `field(t, w, whether of a
  /// tangent)`.
  private func linear(_ field: @escaping @Sendable (Double, [Double], Bool) -> [Double]) -> FieldCallback {
    FieldCallback(name: "gaussian", float: functions(field), double: functions(field))
  }

  private func functions<Scalar: FlowScalar>(
    _ field: @escaping @Sendable (Double, [Double], Bool) -> [Double]
  ) -> FieldCallback.Functions<Scalar> {
    let (turned, dimension) = (self.turned, self.dimension)
    @Sendable func each(
      _ lanes: Int, _ t: Span<Double>, _ x: Span<Scalar>, _ y: inout MutableSpan<Scalar>, isTangent: Bool
    ) {
      for lane in 0..<lanes {
        let w = turned((0..<dimension).map { Double(x[$0 * lanes + lane]) })
        let result = turned(field(t[lane], w, isTangent))
        for row in 0..<dimension { y[row * lanes + lane] = Scalar(result[row]) }
      }
    }
    return .init(
      evaluate: { lanes, t, x, _, y in each(lanes, t, x, &y, isTangent: false) },
      tangent: { lanes, t, _, _, xDot, yDot in each(lanes, t, xDot, &yDot, isTangent: true) })
  }

  /// Samples of the data, `[count]` rows of w; the key gives each its own numbers.
  func points(count: Int) -> [[Double]] {
    let source = RandomSource(seed: 6, stream: .data)
    return (0..<count).map { sample in
      (0..<dimension).map {
        mean[$0] + variances[$0].squareRoot() * source.normal(sample: UInt64(sample), dimension: $0)
      }
    }
  }
}
