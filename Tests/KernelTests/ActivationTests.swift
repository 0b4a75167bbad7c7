import Foundation
import NeuralODE
import Testing

/// The vector activations against Double's library functions, on every 4,099th of all 2³² floats and over their interval.
@Suite struct ActivationTests {
  struct Bound: CustomTestStringConvertible {
    let activation: Activation
    /// Largest error of the value in ulp of the value (Float), measured over the same floats; rounded up.
    let valueUlps: Double
    /// Largest absolute error of the derivative in units of 2⁻²³. SiLU's takes 1 − s, rounded, times z up to 17.
    let slopeUnits: Double
    var testDescription: String { "\(activation)" }
  }

  static let bounds = [
    Bound(activation: .identity, valueUlps: 0, slopeUnits: 0), Bound(activation: .relu, valueUlps: 0, slopeUnits: 0),
    Bound(activation: .tanh, valueUlps: 4, slopeUnits: 4), Bound(activation: .softplus, valueUlps: 4, slopeUnits: 2),
    Bound(activation: .silu, valueUlps: 4, slopeUnits: 10),
  ]

  static func reference(_ activation: Activation, _ z: Double) -> (value: Double, slope: Double) {
    let s = z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z))
    switch activation {
    case .identity: return (z, 1)
    case .relu: return (max(z, 0), z > 0 ? 1 : 0)
    case .tanh: return (tanh(z), 1 - tanh(z) * tanh(z))
    case .softplus: return (max(z, 0) + log1p(exp(-abs(z))), s)
    case .silu: return (z * s, s * (1 + z * (1 - s)))
    }
  }

  /// Values and derivatives of a field that is the activation itself.
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
      let (value, slope) = Self.reference(bound.activation, Double(point))
      let rounded = Float(value)
      // Near e^−87 activations go to 0 at once.
      let ulp = Double(max(abs(rounded), 0x1p-96).ulp)
      if point.isFinite || value.isFinite {
        let ulps = abs(Double(found.velocities[index]) - value) / ulp
        if !(ulps <= worst.ulps) { worst = (ulps, point) }
      }
      guard point.isFinite, abs(point) < 1e30 else { continue }
      let units = abs(found.divergences[index] - slope) / 0x1p-23
      if !(units <= worstSlope.units) { worstSlope = (units, point) }
    }
    #expect(worst.ulps <= bound.valueUlps, "\(isa): \(worst.ulps) ulp at \(worst.at)")
    #expect(worstSlope.units <= bound.slopeUnits, "\(isa): \(worstSlope.units)·2⁻²³ at \(worstSlope.at)")
  }

  /// Bounds in ulp: without fused multiply-add, the portable set rounds each term of the series twice.
  @Test(arguments: Activation.allCases, instructionSets)
  func doublesAreWithinTheirBounds(activation: Activation, isa: InstructionSet) throws {
    let points = (0..<200_000).map { 0.37e-3 * (Double($0) - 100_000) } + [0, -0.0, 1e-300, -1e-300, 1e-9, 700, -700]
    let found = try evaluate(activation, points, isa: isa)
    var worst = (ulps: 0.0, at: 0.0)
    var worstSlope = (units: 0.0, at: 0.0)
    for (index, point) in points.enumerated() {
      let (value, slope) = Self.reference(activation, point)
      let ulps = abs(found.velocities[index] - value) / max(abs(value), 0x1p-960).ulp
      if !(ulps <= worst.ulps) { worst = (ulps, point) }
      let units = abs(found.divergences[index] - slope) / 0x1p-52
      if !(units <= worstSlope.units) { worstSlope = (units, point) }
    }
    // The reference is itself a sum of rounded functions: an ulp of either figure may be its own.
    #expect(worst.ulps <= (isa == .generic ? 8 : 5), "\(worst.ulps) ulp at \(worst.at)")
    #expect(worstSlope.units <= 8, "\(worstSlope.units)·2⁻⁵² at \(worstSlope.at)")
  }
}
