import CLibrary
import FieldPrograms
import PureSwift
import Testing

/// Activations and their derivatives against the C library's functions, through a field that is one activation.
@Suite struct ActivationTests {
  /// The error bound, in units of the last place of 1: 2 units for the polynomials, and more for the divisions and
  /// products that follow. Near 0, σ′ is a difference of numbers near 1.
  static let units = 8.0

  static func expected(_ activation: Activation, _ z: Double) -> (value: Double, slope: Double) {
    let sigmoid = 1 / (1 + exp(-z))
    let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
    return switch activation {
    case .identity: (z, 1)
    case .tanh: (tanh(z), 1 - tanh(z) * tanh(z))
    case .softplus: (max(z, 0) + log1p(exp(-abs(z))), sigmoid)
    case .relu: (max(z, 0), z > 0 ? 1 : 0)
    case .silu: (z * sigmoid, sigmoid * (1 + z / (1 + exp(z))))
    case .sigmoid: (sigmoid, sigmoid / (1 + exp(z)))
    case .gelu: (z * distribution(z), distribution(z) + z * density)
    case .elu: z > 0 ? (z, 1) : (expm1(z), exp(z))
    case .sin: (sin(z), cos(z))
    case .logcosh: (abs(z) + log1p(exp(-2 * abs(z))), tanh(z))
    }
  }

  /// Φ(z) = ½ erfc(−z √½). Where −z is at least 4, the continued fraction of its tail computes it (Abramowitz and
  /// Stegun 26.2.14).
  static func distribution(_ z: Double) -> Double {
    if z > -4 { return erfc(-z * 0.5.squareRoot()) / 2 }
    let fraction = stride(from: 200.0, through: 1, by: -1).reduce(-z) { $1 / $0 - z }
    let (high, low) = (z * z, (-(z * z)).addingProduct(z, z))
    return exp(-high / 2) * exp(-low / 2) / (2 * Double.pi).squareRoot() / fraction
  }

  static func field(_ activation: Activation) -> FieldProgram {
    var program = FieldProgram(stateDimension: 1)
    program.append(.activation(input: .state, activation))
    return program
  }

  static func check<Scalar: FlowScalar>(_ activation: Activation, _: Scalar.Type) throws {
    let points = (-80...80).map { Scalar($0) / 4 } + [1e-6, -1e-6, 1e-3, -1e-3, 0, 60, -60] as [Scalar]
    let solver: PureSwiftSolver<Scalar> = try Fixtures.solver(
      field(activation), .fixed(steps: 1), trace: .exactTangents, tableau: Fixtures.rk4)
    let result = try solver.evaluate(SolveProblem(parameters: [], states: points, from: 0, to: 1))
    let unit = Double(Scalar.ulpOfOne)
    for (index, point) in points.enumerated() {
      let (value, slope) = expected(activation, Double(point))
      let valueUnits =
        abs(Double(result.velocities[index]) - value) / (unit * max(abs(value), Double(Scalar.leastNormalMagnitude)))
      let slopeUnits = abs(result.divergences[index] - slope) / unit
      #expect(valueUnits <= units, "\(activation)(\(point)) of \(Scalar.self) is off by \(valueUnits) units")
      #expect(slopeUnits <= units, "\(activation)′(\(point)) of \(Scalar.self) is off by \(slopeUnits) units")
    }
  }

  @Test(arguments: Activation.allCases) func doubles(_ activation: Activation) throws {
    try Self.check(activation, Double.self)
  }

  @Test(arguments: Activation.allCases) func floats(_ activation: Activation) throws {
    try Self.check(activation, Float.self)
  }

  @Test(arguments: Activation.allCases) func extremes(_ activation: Activation) throws {
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      Self.field(activation), .fixed(steps: 1), trace: .none, tableau: Fixtures.rk4)
    let points = [.nan, -.nan, 1e300, -1e300]
    let values = try solver.evaluate(SolveProblem(parameters: [], states: points, from: 0, to: 1)).velocities
    #expect(values[0].isNaN && values[1].isNaN)
    #expect(values[2].isFinite && values[3].isFinite)
  }
}
