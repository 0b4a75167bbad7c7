import ContinuousFlows
import Foundation
import Testing

@Suite struct LevelMarginalsTests {
  private let marginals = LevelMarginals(levels: 4, probabilities: [0.7, 0.1, 0.15, 0.05, 0.001, 0.001, 0.001, 0.997])

  /// Computes `z` by bisection on `Φ(z) = F(x)`, with `erfc` from the C library.
  private func reference(_ x: Double, column: Int) -> Double {
    let probabilities = marginals.probabilities[column * 4..<column * 4 + 4].map { $0 }
    let level = min(3, Int(x * 4))
    let below = probabilities[..<level].reduce(0, +) + (x * 4 - Double(level)) * probabilities[level]
    var (low, high) = (-8.0, 8.0)
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if 0.5 * erfc(-middle / 2.0.squareRoot()) < below { low = middle } else { high = middle }
    }
    return low
  }

  @Test func columnsGoThroughTheirDistributionFunction() {
    for step in 1..<200 {
      let x = Double(step) / 200
      let z = marginals.forward([x, x])
      for column in 0..<2 {
        let expected = reference(x, column: column)
        // The bound covers F near 1 in the reference's Double.
        #expect(abs(z[column] - expected) < 1e-6 * max(1, abs(expected)), "\(x), column \(column)")
      }
      let back = marginals.inverse(z)
      // A rounding of z changes x by up to levels⁻¹·φ(z)/p.
      for column in 0..<2 { #expect(abs(back[column] - x) < 1e-12, "\(x), column \(column): \(back[column])") }
    }
  }

  /// Compares `log dz/dx` with central differences inside the levels. No point lies on a border.
  @Test func logDeterminantIsTheDerivatives() {
    for x in stride(from: 0.031, to: 0.97, by: 0.047) {
      let point = [x, 0.5 + x / 3]
      var expected = 0.0
      for column in 0..<2 {
        let at = point[column]
        expected += log((reference(at + 1e-5, column: column) - reference(at - 1e-5, column: column)) / 2e-5)
      }
      #expect(abs(marginals.logDeterminants(point)[0] - expected) < 1e-4, "\(x)")
    }
    #expect(marginals.logDeterminants([1.5, 0.5]) == [-.infinity])
    #expect(marginals.logDeterminants([0.5, -0.1]) == [-.infinity])
    // The value does not fit an Int.
    #expect(marginals.logDeterminants([1e30, 0.5, 0.5, -1e30]) == [-.infinity, -.infinity])
    #expect(marginals.forward([1e30, -1e30, 1, 0]).allSatisfy { $0.isFinite })
  }

  @Test func digitsBecomeStandardNormalColumnByColumn() throws {
    let digits = try DatasetSource("digits").load(count: 0, seed: 0)
    let quantisation = try #require(digits.quantisation)
    let marginals = LevelMarginals(counting: digits.samples, quantisation: quantisation)
    let z = marginals.forward(digits.continuousSamples().values)
    for column in 0..<64 {
      let values = stride(from: column, to: z.count, by: 64).map { Double(z[$0]) }
      let mean = values.reduce(0, +) / Double(values.count)
      let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      // Five standard errors of 1,797 numbers, and the effect of the tenth of a sample that is added to each level.
      #expect(abs(mean) < 5 / Double(values.count).squareRoot() + 0.01, "column \(column): mean \(mean)")
      #expect(abs(square - 1) < 5 * (2 / Double(values.count)).squareRoot() + 0.03, "column \(column): \(square)")
    }
  }

  /// A flow that does not change z has exactly the density of the columns, and a file keeps it.
  @Test func densitiesAndFilesKnowTheMarginals() throws {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    let flow = ContinuousFlow(
      program: program, parameters: Array(repeating: 0, count: 6), transform: .marginals(marginals))
    let points = SampleMatrix(count: 3, dimension: 2, values: [0.1, 0.9, 0.3, 0.99, 0.8, 0.1])
    let densities = try flow.logDensities(of: points).values
    for sample in 0..<3 {
      let levels = (0..<2).map { min(3, Int(points[sample][sample * 2 + $0] * 4)) }
      let expected = log(4 * marginals.probabilities[levels[0]]) + log(4 * marginals.probabilities[4 + levels[1]])
      // The bound covers z in Float: z²/2 occurs once on either side.
      #expect(abs(densities[sample] - expected) < 1e-5, "sample \(sample)")
    }
    let folder = try TemporaryFolder()
    try flow.write(to: folder.path + "/flow.safetensors")
    #expect(try ContinuousFlow(contentsOf: folder.path + "/flow.safetensors") == flow)
  }
}
