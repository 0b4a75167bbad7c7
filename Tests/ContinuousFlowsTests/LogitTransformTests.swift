import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

/// A flow that does not change z has exactly the density of the transform. Closed forms and integrals are the
/// oracles.
@Suite struct LogitTransformTests {
  private static let alphas = [LogitTransform.levelsAlpha, LogitTransform.continuousAlpha, 0.3]

  /// A flow with z(0) = z(T), in one dimension.
  private static func still(_ transform: DataTransform) -> ContinuousFlow {
    var program = FieldProgram(stateDimension: 1)
    program.append(.linear(input: .state, rows: 1, activation: .identity))
    return ContinuousFlow(program: program, parameters: [0, 0], transform: transform)
  }

  private static func logit(_ u: Double) -> Double { log(u / (1 - u)) }

  /// Φ.
  private static func normal(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }

  @Test(arguments: alphas) func formulaAndInverse(alpha: Double) {
    let transform = LogitTransform(alpha: alpha)
    let values: [Double] = [0, 0.001, 0.25, 0.5, 0.75, 0.999, 1]
    let logits = transform.forward(values)
    for (value, logit) in zip(values, logits) {
      let expected = Self.logit(alpha + (1 - 2 * alpha) * Double(value))
      // The bound covers a few roundings of u / (1 − u), which are largest at its ends.
      #expect(abs(logit - expected) <= 4 * Double.ulpOfOne / alpha, "\(value)")
    }
    // The bound covers a rounding of u, and those of y, which change u by u (1 − u) of them.
    for (there, back) in zip(values, transform.inverse(logits)) { #expect(abs(there - back) < 1e-14, "\(there)") }
  }

  /// Compares the log-derivative with central differences of the formula in Double, and with itself at the logits.
  @Test(arguments: alphas) func logDeterminantIsTheDerivatives(alpha: Double) {
    let transform = DataTransform(shift: [0.3, -1], scale: [2, 0.7], logit: LogitTransform(alpha: alpha))
    for x in stride(from: 0.02, to: 0.99, by: 0.06) {
      let point = [x, 1 - x / 2]
      var expected = 0.0
      for column in 0..<2 {
        func z(_ x: Double) -> Double {
          (Self.logit(alpha + (1 - 2 * alpha) * x) - transform.shift[column]) / transform.scale[column]
        }
        let at = point[column]
        // The error is h² times a third derivative of y, which is at most 2/u³, relative to the first: 2e-12 / u² with
        // u ≥ 0.02. Rounding adds 1e-16/1e-6.
        expected += log((z(at + 1e-6) - z(at - 1e-6)) / 2e-6)
      }
      let found = transform.logDeterminants(point)[0]
      #expect(abs(found - expected) < 1e-8, "\(x)")
      // z in Float changes y by an ulp, and the logarithm of the derivative by at most as much.
      #expect(abs(transform.logDeterminants(ofLatent: transform.forward(point))[0] - found) < 1e-5, "\(x)")
    }
  }

  /// The density integrates to 1 over the range, which is a little wider than 0 ... 1. Its integral over 0 ... 1
  /// follows from the normal distribution function.
  @Test(arguments: alphas) func densityIntegratesToOne(alpha: Double) throws {
    let (shift, scale) = (0.4, 1.3)
    let transform = DataTransform(
      shift: [shift], scale: [scale], logit: LogitTransform(alpha: alpha))
    let flow = Self.still(transform)
    func integral(_ low: Double, _ high: Double) throws -> Double {
      // Uses the midpoint rule. The density is smooth and falls to 0 with all derivatives at the ends of the range.
      let cells = 20_000
      let width = (high - low) / Double(cells)
      let points = (0..<cells).map { low + (Double($0) + 0.5) * width }
      let densities = try flow.logDensities(of: SampleMatrix(count: cells, dimension: 1, values: points))
      #expect(densities.failed == 0)
      return densities.values.reduce(0) { $0 + exp($1) } * width
    }
    let (low, high) = LogitTransform(alpha: alpha).range
    let inside =
      Self.normal((Self.logit(1 - alpha) - shift) / scale) - Self.normal((Self.logit(alpha) - shift) / scale)
    // Points are rounded to Float: 3e-8 times a density below 3, with both signs. z is rounded too, by 1e-7 of |z|.
    #expect(abs(try integral(low, high) - 1) < 1e-5)
    #expect(abs(try integral(0, 1) - inside) < 1e-5)
  }

  @Test func beyondTheRangeIsNoDensity() throws {
    let flow = Self.still(DataTransform(shift: [0], scale: [1], logit: LogitTransform(alpha: 0.05)))
    // The range is −1/18 to 19/18.
    let points = SampleMatrix(count: 6, dimension: 1, values: [-0.06, -0.05, 0, 1, 1.05, 1e30])
    let densities = try flow.logDensities(of: points)
    #expect(densities.values.map { $0 > -.infinity } == [false, true, true, true, true, false])
    #expect(densities.failed == 0)
  }

  /// Bits/dim as in MAF (supplement E.2): from the mean log-density of logits, for 256 levels.
  @Test func bitsPerDimensionAreThoseOfThePapers() throws {
    let alpha = 1e-6
    let levels: [Double] = [0, 17, 254, 255, 128, 90]
    let dataset = Dataset(
      name: "levels", samples: SampleMatrix(count: 3, dimension: 2, values: levels),
      quantisation: Quantisation(levels: 256))
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    let flow = ContinuousFlow(
      program: program, parameters: [0, 0, 0, 0, 0, 0],
      transform: DataTransform(shift: [0, 0], scale: [1, 1], logit: LogitTransform(alpha: alpha)))
    let found = try flow.evaluate(on: dataset).bitsPerDimension
    let points = dataset.continuousSamples()
    var expected = 0.0
    for value in points.values {
      let y = Self.logit(alpha + (1 - 2 * alpha) * value)
      let sigmoid = 1 / (1 + exp(-y))
      let ofLogits = -0.5 * y * y - 0.5 * log(2 * Double.pi)
      expected += -ofLogits / log(2) - log2(1 - 2 * alpha) + 8 + log2(sigmoid) + log2(1 - sigmoid)
    }
    // The bound covers y in Float: an ulp of |y|, with y up to 8.
    #expect(abs(found - expected / 6) < 1e-4)
  }

  @Test func samplesKnowTheirDensity() throws {
    var flow = ContinuousFlow(dimension: 2, hidden: [8], seed: 3)
    flow.transform = DataTransform(shift: [-1, 0.5], scale: [1.5, 2], logit: LogitTransform(alpha: 0.05))
    let options = SolverOptions(control: .perSample(rtol: 1e-6, atol: 1e-6))
    let (samples, logDensities) = try flow.samplesWithLogDensities(count: 50, seed: 1, options: options)
    let found = try flow.logDensities(of: samples, options: options).values
    // Two solves at 1e-6, and x in Float. Near the ends of the range, an ulp of x changes y by 1/(u (1 − u)) ulps, with
    // u above 0.002.
    for (there, back) in zip(logDensities, found) { #expect(abs(there - back) < 1e-3) }
    // If x is rounded to an end of the range, the density of the sample is still finite.
    flow.transform = DataTransform(shift: [0, 0], scale: [60, 60], logit: LogitTransform(alpha: 1e-6))
    let wide = try flow.samplesWithLogDensities(count: 200, seed: 1)
    #expect(wide.logDensities.allSatisfy { $0.isFinite })
  }

  @Test func filesKeepIt() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("flow.safetensors")
    let flow = Self.still(DataTransform(shift: [0.1], scale: [3], logit: LogitTransform(alpha: 1e-6)))
    try flow.write(to: path)
    #expect(try ContinuousFlow(contentsOf: path) == flow)
    let file = try SafetensorsFile(path: path)
    // A reader that does not know the logit would take x for z.
    #expect(file.metadata["swift_cnf.version"] == "4")
    for alpha in ["0.5", "0", "nan", "x"] {
      var altered = file
      altered.metadata["transform.logit_alpha"] = alpha
      try altered.write(to: path)
      #expect(throws: FlowFileError.self) { try ContinuousFlow(contentsOf: path) }
    }
  }

  @Test func trainingRefusesWhatIsOutside() throws {
    let points = SampleMatrix(count: 3, dimension: 1, values: [0.2, 1.5, 0.4])
    let data = Dataset(name: "wide", samples: points)
    let flow = Self.still(.logit(LogitTransform(alpha: 0.05), standardising: points))
    #expect(throws: TrainingError.outsideLogitRange(data: "wide", row: 1, column: 0, value: 1.5, alpha: 0.05)) {
      try Trainer(flow: flow, training: data, options: TrainingOptions(steps: 1))
    }
    #expect(throws: TrainingError.outsideLogitRange(data: "wide", row: 1, column: 0, value: 1.5, alpha: 0.05)) {
      try flow.evaluate(on: data)
    }
    _ = try Trainer(flow: flow, training: data.rows([0, 2]), options: TrainingOptions(steps: 1))
  }

  /// Every base works with standardised logits as with any other columns.
  @Test func digitsAreStandardised() throws {
    let digits = try DatasetSource("digits").load()
    let points = digits.continuousSamples()
    let transform = DataTransform.logit(LogitTransform(alpha: LogitTransform.levelsAlpha), standardising: points)
    let z = transform.forward(points.values)
    for column in 0..<64 {
      let values = stride(from: column, to: z.count, by: 64).map { Double(z[$0]) }
      let mean = values.reduce(0, +) / Double(values.count)
      let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      // The bound covers rounding of z to Float, and the shift, which is the mean to 2⁻²¹ of the deviation.
      #expect(abs(mean) < 1e-5 && abs(square - 1) < 1e-5, "column \(column)")
    }
    let seen = StateMatrix(count: points.count, dimension: 64, values: z)
    for base in [BaseDistribution.gaussian(fitting: seen), .fullGaussian(fitting: seen)] {
      let flow = ContinuousFlow(dimension: 64, hidden: [4], transform: transform, base: base)
      #expect(try flow.evaluate(on: digits.rows(0..<5)).nllNats.isFinite)
    }
  }
}
