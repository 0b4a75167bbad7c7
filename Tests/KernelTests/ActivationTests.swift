import Foundation
import NeuralODE
import Testing

/// Compares the vectorised activations with the library functions of Double. Floats are every 4,099th of all 2³² bit
/// patterns; doubles are evenly spaced over the interval where activations change.
@Suite struct ActivationTests {
  /// The error bounds of an activation: those of `CSources/CNFKernels/simd/activations/traits.h`, rounded up, plus the
  /// errors of the references here.
  struct Bound: CustomTestStringConvertible {
    let activation: Activation
    /// The largest error of the value in ulp of the value, and of the derivative in units in the last place of 1.
    let value: Double
    let slope: Double
    var testDescription: String { "\(activation)" }
  }

  /// SiLU's bound is larger, because its derivative multiplies the rounded 1 − s by z up to 17.
  static let bounds = [
    Bound(activation: .identity, value: 0, slope: 0), Bound(activation: .relu, value: 0, slope: 0),
    Bound(activation: .tanh, value: 4, slope: 4), Bound(activation: .softplus, value: 4, slope: 2),
    Bound(activation: .silu, value: 4, slope: 10), Bound(activation: .sigmoid, value: 4, slope: 2),
    Bound(activation: .gelu, value: 7, slope: 3), Bound(activation: .elu, value: 4, slope: 2),
    Bound(activation: .sin, value: 4, slope: 3), Bound(activation: .logcosh, value: 4, slope: 2),
  ]

  /// Whether the square in e^(−z²/2) is rounded, as it is without fused multiply-add.
  ///
  /// The error is half an ulp of z²/2. This is up to 87.6 in Float (64 ulp of e^…) and up to 708.7 in Double (512 ulp).
  static func squareIsRounded(_ activation: Activation, _ isa: InstructionSet) -> Bool {
    activation == .gelu && isa == .generic
  }

  static func reference(_ activation: Activation, _ z: Double, sineEnd: Double) -> (value: Double, slope: Double) {
    let s = z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z))
    let complement = z >= 0 ? exp(-z) / (1 + exp(-z)) : 1 / (1 + exp(z))
    switch activation {
    case .identity: return (z, 1)
    case .relu: return (max(z, 0), z > 0 ? 1 : 0)
    case .tanh: return (tanh(z), 1 - tanh(z) * tanh(z))
    case .softplus: return (max(z, 0) + log1p(exp(-abs(z))), s)
    case .silu: return (z == -.infinity ? 0 : z * s, s * (1 + z * complement))
    case .sigmoid: return (s, s * complement)
    case .gelu:
      // The rounding error of erfc's argument is corrected to first order, because the tail magnifies it by z².
      guard z.isFinite else { return (max(z, 0), z > 0 ? 1 : 0) }
      let root = 0.5.squareRoot()
      let rest = 0.5.addingProduct(-root, root) / (2 * root)
      let argument = -z * root
      let lost = (-argument).addingProduct(-z, root) - z * rest
      let distribution = (erfc(argument) - lost * 2 / Double.pi.squareRoot() * exp(-argument * argument)) / 2
      return (z * distribution, distribution + max(-40, min(40, z)) * exp(-z * z / 2) / (2 * Double.pi).squareRoot())
    case .elu: return z > 0 ? (z, 1) : (expm1(z), exp(z))
    case .sin:
      let limited = max(-sineEnd, min(sineEnd, z))
      return (sin(limited), cos(limited))
    case .logcosh: return (abs(z) + log1p(exp(-2 * abs(z))), tanh(z))
    }
  }

  /// The values and derivatives of the activation, as a field of one row and its divergence.
  private func evaluate<Scalar: FlowScalar>(
    _ activation: Activation, _ points: [Scalar], isa: InstructionSet
  ) throws -> (velocities: [Scalar], divergences: [Double]) {
    var program = FieldProgram(stateDimension: 1)
    program.append(.activation(input: .state, activation))
    let solver = try KernelSolver<Scalar>(
      program: program, options: Fixtures.options("rk4", .fixed(steps: 1), trace: .exactTangents), isa: isa)
    return try solver.evaluate(SolveProblem(parameters: [], states: points, from: 0, to: 1))
  }

  private static let floats = stride(from: UInt32(0), to: .max - 4_099, by: 4_099).map { Float(bitPattern: $0) }

  @Test(arguments: bounds, instructionSets)
  func floatsAreWithinTheirBounds(bound: Bound, isa: InstructionSet) throws {
    let points = Self.floats
    let found = try evaluate(bound.activation, points, isa: isa)
    var worst = (ulps: 0.0, at: Float(0))
    var worstSlope = (units: 0.0, at: Float(0))
    for (index, point) in points.enumerated() {
      if point.isNaN {
        #expect(found.velocities[index].isNaN)
        continue
      }
      let (value, slope) = Self.reference(bound.activation, Double(point), sineEnd: Activation.sineEnd(Float.self))
      let rounded = Float(value)
      // Near e^−87 activations jump to 0.
      let ulp = Double(max(abs(rounded), 0x1p-96).ulp)
      if point.isFinite || value.isFinite {
        let ulps = abs(Double(found.velocities[index]) - value) / ulp
        if !(ulps <= worst.ulps) { worst = (ulps, point) }
      }
      guard point.isFinite, abs(point) < 1e30 else { continue }
      let units = abs(found.divergences[index] - slope) / 0x1p-23
      if !(units <= worstSlope.units) { worstSlope = (units, point) }
    }
    let allowed = Self.squareIsRounded(bound.activation, isa) ? 64 + bound.value : bound.value
    #expect(worst.ulps <= allowed, "\(isa): \(worst.ulps) ulp at \(worst.at)")
    #expect(worstSlope.units <= bound.slope, "\(isa): \(worstSlope.units)·2⁻²³ at \(worstSlope.at)")
  }

  /// The portable instruction set has larger bounds: without fused multiply-add it rounds each term of a series twice.
  @Test(arguments: Activation.allCases, instructionSets)
  func doublesAreWithinTheirBounds(activation: Activation, isa: InstructionSet) throws {
    let points = (0..<200_000).map { 0.37e-3 * (Double($0) - 100_000) } + [0, -0.0, 1e-300, -1e-300, 1e-9, 700, -700]
    let found = try evaluate(activation, points, isa: isa)
    var worst = (ulps: 0.0, at: 0.0)
    var worstSlope = (units: 0.0, at: 0.0)
    for (index, point) in points.enumerated() {
      let (value, slope) = Self.reference(activation, point, sineEnd: Activation.sineEnd(Double.self))
      let ulps = abs(found.velocities[index] - value) / max(abs(value), 0x1p-960).ulp
      if !(ulps <= worst.ulps) { worst = (ulps, point) }
      let units = abs(found.divergences[index] - slope) / 0x1p-52
      if !(units <= worstSlope.units) { worstSlope = (units, point) }
    }
    // The reference is itself a sum of rounded functions, so an ulp of each error may be that of the reference.
    let allowed = Self.squareIsRounded(activation, isa) ? 512 + 8.0 : isa == .generic || activation == .gelu ? 8 : 5
    #expect(worst.ulps <= allowed, "\(worst.ulps) ulp at \(worst.at)")
    // The error of SiLU's 1 − s is at most 1.5 · 2⁻⁵³, which z up to 37 magnifies to 28 · 2⁻⁵².
    #expect(worstSlope.units <= (activation == .silu ? 28 : 8), "\(worstSlope.units)·2⁻⁵² at \(worstSlope.at)")
  }
}
