import NeuralODE
import Testing

/// A field that is made from the gradient of a potential, and a program that gives the potential itself.
struct PotentialCase: CustomTestStringConvertible, Sendable {
  let name: String
  let program: FieldProgram
  /// A program with the same parameters whose every row is the potential; nil for a field with more rows than a
  /// gradient.
  let potential: FieldProgram?
  /// Row r of the field is `signs[r]` times the derivative of the potential by row `rows[r]` of the state.
  var rows: [Int] = Array(0..<PotentialCase.dimension)
  var signs = [Double](repeating: -1, count: PotentialCase.dimension)
  var testDescription: String { name }

  static let dimension = 4
  static let count = 9

  /// The activations with a smooth derivative. With the identity, the energy is linear and its field constant.
  static let smooth = Activation.allCases.filter { ![.identity, .relu, .gelu].contains($0) }

  private static func hamiltonian(_ architecture: HamiltonianArchitecture, _ name: String) -> PotentialCase {
    let program = try! architecture.program(stateDimension: dimension)
    return PotentialCase(
      name: name, program: program, potential: architecture.energyProgram(stateDimension: dimension),
      rows: [2, 3, 0, 1], signs: [1, 1, -1, -1])
  }

  private static func transport(_ architecture: TransportArchitecture, _ name: String) -> PotentialCase {
    PotentialCase(
      name: name, program: try! architecture.program(stateDimension: dimension),
      potential: architecture.potentialProgram(stateDimension: dimension),
      signs: Array(repeating: -1 / architecture.transportScale, count: dimension))
  }

  static let hamiltonians =
    smooth.map {
      hamiltonian(HamiltonianArchitecture(hidden: [6, 5], activation: $0, seesTime: true), "energy, \($0)")
    } + [
      hamiltonian(HamiltonianArchitecture(hidden: [7], activation: .tanh), "energy of one layer"),
      hamiltonian(
        HamiltonianArchitecture(hidden: [5, 4], activation: .tanh, isSeparable: true), "separable energy"),
      hamiltonian(
        HamiltonianArchitecture(hidden: [5], activation: .sin, isSeparable: true, seesTime: true),
        "separable energy that depends on the time"),
    ]

  static let transports = [
    transport(TransportArchitecture(width: 6), "transport"),
    transport(
      TransportArchitecture(width: 5, layers: 3, rank: 2, activation: .softplus, transportScale: 0.7),
      "transport, three layers"),
  ]

  /// The scaled gradient of a potential with every operation that has a derivative, on blocks of several rows and of
  /// one row.
  static let everyOperation: PotentialCase = {
    var program = FieldProgram(stateDimension: dimension)
    let time = program.append(.time)
    let joined = program.append(.concatenate(program.append(.concatenate(time, .state)), .state))
    let hidden = program.append(.linear(input: joined, rows: 5, activation: .tanh))
    let middle = program.append(.slice(input: hidden, first: 1, rows: 3))
    let shifted = program.append(.scale(input: middle, by: -0.7, plus: 0.4))
    let squared = program.append(.multiply(shifted, shifted))
    let row = program.append(.sum(input: program.append(.linear(input: squared, rows: 4, activation: .sigmoid))))
    let gated = program.append(.multiply(hidden, row))
    let constant = program.append(.scale(input: time, by: 0, plus: 2))
    let doubled = program.append(.add(gated, program.append(.multiply(gated, constant))))
    let inner = program.append(.add(program.append(.sum(input: doubled)), row))
    let identity = program.append(.activation(input: inner, .identity))
    let first = program.append(.slice(input: .state, first: 0, rows: 1))
    let product = program.append(.multiply(identity, first))
    let potential = program.append(.add(product, program.append(.sum(input: .state))))
    var field = program
    let gradient = try! field.appendGradient(of: potential, by: [.state])[0]
    field.append(.scale(input: gradient, by: everyOperationScale))
    program.append(.multiply(program.append(.scale(input: .state, by: 0, plus: 1)), potential))
    return PotentialCase(
      name: "every operation", program: field, potential: program,
      signs: Array(repeating: everyOperationScale, count: dimension))
  }()
  /// The gradient is of order 10. Without this scale the field would be too fast for accurate differences.
  private static let everyOperationScale = -0.05

  static let costs = PotentialCase(
    name: "transport costs",
    program: try! TransportArchitecture(width: 6, transportScale: 0.8).costProgram(stateDimension: dimension - 2),
    potential: nil)

  /// The cases whose divergence is not 0.
  static let withDivergence = transports + [everyOperation, costs]
  static let gradients = hamiltonians + transports + [everyOperation]
  static let all = gradients + [costs]

  func problem<Scalar: FlowScalar>(_: Scalar.Type = Scalar.self) -> SolveProblem<Scalar> {
    SolveProblem(
      parameters: Fixtures.parameters(for: program, seed: 81),
      states: Fixtures.normals(Self.count * Self.dimension, seed: 82), from: 0.9, to: 0.3, seed: 5, step: 2)
  }
}
