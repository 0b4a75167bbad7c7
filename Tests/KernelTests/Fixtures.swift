import FieldPrograms
import NeuralODE

/// Random numbers, programs and options of the tests in this folder.
enum Fixtures {
  /// Normal numbers that are the same in every run for a seed.
  static func normals<Scalar: FlowScalar>(_ count: Int, seed: UInt64, scale: Double = 1) -> [Scalar] {
    let source = RandomSource(seed: seed, stream: .data, step: 77)
    return (0..<count).map { Scalar(scale * source.normal(sample: 0, dimension: $0)) }
  }

  /// Parameters of the usual size for a network: normal weights with standard deviation `gain/√columns`, and the other
  /// parameters with standard deviation 0.1.
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

  /// A program with a separate activation, residual connections, a concatenation of the time and one of hidden blocks,
  /// and a block that no operation reads.
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

  /// Adds a nonlinear block to the concatenation of two linear operations. The tangents of the linear operations are
  /// constant over a solve, and they are added to tangents that change in every evaluation.
  static func sideBySide(_ dimension: Int, _ activation: Activation) -> FieldProgram {
    var program = FieldProgram(stateDimension: dimension)
    let left = program.append(.linear(input: .state, rows: 2, activation: .identity))
    let right = program.append(.linear(input: .state, rows: 3, activation: .identity))
    let both = program.append(.concatenate(left, right))
    let nonlinear = program.append(.linear(input: both, rows: 5, activation: activation))
    let sum = program.append(.add(both, nonlinear))
    program.append(.linear(input: sum, rows: dimension, activation: activation))
    return program
  }

  /// `dx/dt = A x + b`, where the parameters are A `[dimension][dimension]`, then b.
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

/// The combinations of regularisers, with coefficients that are large enough to matter next to the likelihood. Those
/// with a Frobenius norm need a trace that computes tangents.
let regularisations = [
  Regularisation(kineticEnergy: 0.7), Regularisation(frobeniusNorm: 0.3),
  Regularisation(kineticEnergy: 0.2, frobeniusNorm: 0.9),
]

extension Regularisation {
  func fits(_ trace: Trace) -> Bool { frobeniusNorm == 0 || (trace != .none && trace != .exactProduct) }
}

/// The instruction sets that this machine can run.
let instructionSets = Machine.availableInstructionSets.filter { $0 != .automatic }

/// The largest difference of two elements, in units of the `ulp` of the largest element of both arrays.
func largestDifference<Scalar: FlowScalar>(_ a: [Scalar], _ b: [Scalar]) -> Double {
  precondition(a.count == b.count, "the arrays have \(a.count) and \(b.count) elements, must be the same number")
  let scale = zip(a, b).reduce(Scalar(0)) { max($0, abs($1.0), abs($1.1)) }
  let worst = zip(a, b).reduce(0.0) { max($0, Double(abs($1.0 - $1.1))) }
  guard a.allSatisfy(\.isFinite), b.allSatisfy(\.isFinite) else { return .infinity }
  return worst / Double(max(scale, .leastNormalMagnitude).ulp)
}

/// The bit patterns of `values`. Their equality distinguishes −0 from 0, and a NaN equals itself.
func bits(_ values: [Double]) -> [UInt64] { values.map(\.bitPattern) }
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
