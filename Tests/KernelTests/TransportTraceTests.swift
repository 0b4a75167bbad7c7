import Foundation
import NeuralODE
import Testing

/// Compares OT-Flow's trace in closed form, as in its paper, with the trace by D tangents of the gradient's program.
@Suite struct TransportTraceTests {
  struct Case: CustomTestStringConvertible {
    let layers: Int
    let activation: Activation
    var testDescription: String { "\(layers) layers, \(activation)" }
  }

  static let cases = [2, 3].flatMap { layers in
    [Activation.logcosh, .softplus].map { Case(layers: layers, activation: $0) }
  }
  private static let dimension = 5
  private static let count = 7
  /// About 5 · 6 · 3 sums of products in Double have an error of √n · 1.1e-16 times the size of the terms. The kernels'
  /// tanh and sigmoid add a few units.
  private static let tolerance = 1e-12

  /// σ, σ′ and σ″.
  private static func derivatives(_ activation: Activation, _ z: Double) -> (Double, Double, Double) {
    switch activation {
    case .logcosh: (abs(z) + log1p(exp(-2 * abs(z))), tanh(z), 1 - tanh(z) * tanh(z))
    case .softplus:
      (max(z, 0) + log1p(exp(-abs(z))), 1 / (1 + exp(-z)), 1 / (1 + exp(-z)) * (1 / (1 + exp(z))))
    default: preconditionFailure("no formula for \(activation)")
    }
  }

  /// tr ∇ₓ²Φ of one sample, and the sum of the sizes of its terms (Onken et al. 2021, arXiv 2006.00104, the section on
  /// exact traces).
  ///
  /// Let J₀ = diag(σ′(K₀ s + k₀)) K₀ E and Jᵢ = Jᵢ₋₁ + h diag(σ′(Kᵢ uᵢ₋₁ + kᵢ)) Kᵢ Jᵢ₋₁, where E selects the columns of
  /// x, and let zᵢ be the cotangent of uᵢ₋₁. Then
  ///
  ///     tr = Σⱼ σ″(K₀ s + k₀)ⱼ z₁ⱼ |(K₀ E)ⱼ|² + h Σᵢ Σⱼ σ″(Kᵢ uᵢ₋₁ + kᵢ)ⱼ zᵢ₊₁ⱼ |(Kᵢ Jᵢ₋₁)ⱼ|² + tr (A E)ᵀ (A E).
  private static func laplacian(
    _ test: Case, _ program: FieldProgram, _ parameters: [Double], _ x: ArraySlice<Double>, _ t: Double
  ) -> (trace: Double, size: Double) {
    func layer(_ number: Int) -> (weights: [[Double]], bias: [Double]) {
      let layout = program.linearLayouts[number]
      return (
        (0..<layout.rows).map { row in
          (0..<layout.columns).map { parameters[layout.weightOffset + row * layout.columns + $0] }
        }, (0..<layout.rows).map { parameters[layout.biasOffset + $0] }
      )
    }
    func product(_ rows: [[Double]], _ vector: [Double]) -> [Double] {
      rows.map { zip($0, vector).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    let step = 1 / Double(test.layers - 1)
    let s = Array(x) + [t]
    let places = TransportArchitecture(layers: test.layers).lastLayers

    // Forward: the arguments of the activation of each layer, u, and K J `[m][D]`.
    var (arguments, images): ([[Double]], [[[Double]]]) = ([], [])
    var (u, jacobian): ([Double], [[Double]]) = ([], [])
    for number in 0..<test.layers {
      let (weights, bias) = layer(number)
      let argument = zip(product(weights, number == 0 ? s : u), bias).map(+)
      let image =
        number == 0
        ? weights.map { Array($0.prefix(dimension)) }
        : weights.map { row in
          (0..<dimension).map { column in row.indices.reduce(0) { $0 + row[$1] * jacobian[$1][column] } }
        }
      let values = argument.map { derivatives(test.activation, $0) }
      let moved = image.indices.map { row in image[row].map { values[row].1 * $0 } }
      if number == 0 {
        (u, jacobian) = (values.map(\.0), moved)
      } else {
        u = zip(u, values).map { $0 + step * $1.0 }
        jacobian = zip(jacobian, moved).map { zip($0, $1).map { $0 + step * $1 } }
      }
      arguments.append(argument)
      images.append(image)
    }

    // Backward: the cotangent of each u, and the terms of the trace.
    var z = layer(places.net).weights[0]
    var terms: [Double] = []
    for number in (0..<test.layers).reversed() {
      let weight = number == 0 ? 1 : step
      for row in z.indices {
        let square = images[number][row].reduce(0) { $0 + $1 * $1 }
        terms.append(weight * derivatives(test.activation, arguments[number][row]).2 * z[row] * square)
      }
      guard number > 0 else { break }
      let (weights, _) = layer(number)
      let slopes = zip(arguments[number], z).map { derivatives(test.activation, $0).1 * $1 }
      z = z.indices.map { column in
        z[column] + step * slopes.indices.reduce(0) { $0 + weights[$1][column] * slopes[$1] }
      }
    }
    for row in layer(places.quadratic).weights { terms += row.prefix(dimension).map { $0 * $0 } }
    return (terms.reduce(0, +), terms.reduce(0) { $0 + abs($1) })
  }

  @Test(arguments: cases, Backend.allCases)
  func tangentsGiveTheClosedForm(test: Case, backend: Backend) throws {
    let architecture = TransportArchitecture(
      width: 6, layers: test.layers, rank: 3, activation: test.activation, transportScale: 0.7)
    let program = try architecture.program(stateDimension: Self.dimension)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 41)
    let states: [Double] = Fixtures.normals(Self.count * Self.dimension, seed: 42)
    let time = 0.35
    let solver = try makeSolver(
      program: program, options: SolverOptions(trace: .exactTangents), backend: backend, scalar: Double.self)
    let found = try solver.evaluate(
      SolveProblem(parameters: parameters, states: states, from: time, to: 1)
    ).divergences
    for sample in 0..<Self.count {
      let x = states[sample * Self.dimension..<(sample + 1) * Self.dimension]
      let (trace, size) = Self.laplacian(test, program, parameters, x, time)
      let expected = -trace / architecture.transportScale
      #expect(
        abs(found[sample] - expected) < Self.tolerance * size / architecture.transportScale,
        "sample \(sample): \(found[sample]), closed form \(expected)")
      #expect(abs(trace) > 1e-3, "the trace of sample \(sample) is too small for a comparison")
    }
  }
}
