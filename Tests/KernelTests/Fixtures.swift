import FieldPrograms
import NeuralODE

/// Numbers, programs and small arithmetic that the tests of this folder share.
enum Fixtures {
  /// Normal numbers, the same for a seed at every run.
  static func normals<Scalar: FlowScalar>(_ count: Int, seed: UInt64, scale: Double = 1) -> [Scalar] {
    let source = RandomSource(seed: seed, stream: .data, step: 77)
    return (0..<count).map { Scalar(scale * source.normal(sample: 0, dimension: $0)) }
  }

  /// Weights of the usual size for a net: normal, of deviation `gain/√columns`; biases of deviation 0.1.
  static func parameters<Scalar: FlowScalar>(
    for program: FieldProgram, seed: UInt64, gain: Double = 1
  ) -> [Scalar] {
    let normals: [Double] = normals(program.parameterCount, seed: seed)
    var parameters = normals.map { Scalar(0.1 * $0) }
    for layout in program.linearLayouts {
      for index in layout.weightOffset..<layout.biasOffset {
        parameters[index] = Scalar(normals[index] * gain / Double(layout.columns).squareRoot())
      }
    }
    return parameters
  }

  static func net(_ dimension: Int, _ hidden: [Int], _ activation: Activation) -> FieldProgram {
    .multilayerPerceptron(stateDimension: dimension, hidden: hidden, activation: activation)
  }

  /// A program that uses every operation: an activation of its own, residual connections, time twice, hidden blocks side
  /// by side, and a block that nothing reads.
  static func everyOperation(_ dimension: Int, _ activation: Activation) -> FieldProgram {
    var program = FieldProgram(stateDimension: dimension)
    let time = program.append(.time)
    let input = program.append(.concatenate(.state, time))
    let first = program.append(.linear(input: input, rows: 5, activation: activation))
    program.append(.linear(input: first, rows: 3, activation: .tanh))
    let second = program.append(.linear(input: first, rows: 5, activation: .identity))
    let sum = program.append(.add(first, second))
    let activated = program.append(.activation(input: sum, activation))
    let both = program.append(.concatenate(activated, first))
    let last = program.append(.linear(input: both, rows: dimension, activation: .identity))
    program.append(.add(last, .state))
    return program
  }

  /// Linear operations side by side as one operand, which a bent block is then added to: tangents of a solve's constants
  /// meet tangents of every evaluation.
  static func sideBySide(_ dimension: Int, _ activation: Activation) -> FieldProgram {
    var program = FieldProgram(stateDimension: dimension)
    let left = program.append(.linear(input: .state, rows: 2, activation: .identity))
    let right = program.append(.linear(input: .state, rows: 3, activation: .identity))
    let both = program.append(.concatenate(left, right))
    let bent = program.append(.linear(input: both, rows: 5, activation: activation))
    let sum = program.append(.add(both, bent))
    program.append(.linear(input: sum, rows: dimension, activation: activation))
    return program
  }

  /// `dx/dt = A x` with the rows of `matrix`.
  static func linearField(_ dimension: Int) -> FieldProgram {
    var program = FieldProgram(stateDimension: dimension)
    program.append(.linear(input: .state, rows: dimension, activation: .identity))
    return program
  }

  static func options(
    _ method: String = "dopri5", _ control: StepControl, trace: Trace = .exact, probes: Int = 1, threads: Int? = 2,
    maximumSteps: Int = 4096, regularisation: Regularisation = .none
  ) -> SolverOptions {
    SolverOptions(
      method: method, control: control, maximumSteps: maximumSteps, trace: trace, probeCount: probes, threads: threads,
      integratesKineticEnergy: regularisation.kineticEnergy != 0,
      integratesFrobeniusNorm: regularisation.frobeniusNorm != 0)
  }
}

/// Every way to regularise, weighty enough to be seen beside a likelihood. Those with a Frobenius norm need tangents.
let regularisations = [
  Regularisation(kineticEnergy: 0.7), Regularisation(frobeniusNorm: 0.3),
  Regularisation(kineticEnergy: 0.2, frobeniusNorm: 0.9),
]

extension Regularisation {
  func fits(_ trace: Trace) -> Bool { frobeniusNorm == 0 || (trace != .none && trace != .exactProduct) }
}

/// The instruction sets of this machine.
let instructionSets = Machine.availableInstructionSets.filter { $0 != .automatic }

/// Largest difference in units of `ulp` at the scale of the larger of the two arrays.
func largestDifference<Scalar: FlowScalar>(_ a: [Scalar], _ b: [Scalar]) -> Double {
  precondition(a.count == b.count, "\(a.count) against \(b.count)")
  let scale = zip(a, b).reduce(Scalar(0)) { max($0, abs($1.0), abs($1.1)) }
  let worst = zip(a, b).reduce(0.0) { max($0, Double(abs($1.0 - $1.1))) }
  guard a.allSatisfy(\.isFinite), b.allSatisfy(\.isFinite) else { return .infinity }
  return worst / Double(max(scale, .leastNormalMagnitude).ulp)
}

/// Bit patterns, for equality that tells −0 from 0 and lets NaN equal itself.
func bits(_ values: [Double]) -> [UInt64] { values.map(\.bitPattern) }
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
