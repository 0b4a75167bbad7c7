import NeuralODE
import Testing

/// Compares every instruction set of this machine with the portable one, for sizes that do not fill blocks, tiles and
/// chunks.
@Suite struct InstructionSetTests {
  struct Shape: CustomTestStringConvertible {
    let dimension: Int
    let hidden: [Int]
    let count: Int
    var testDescription: String { "D=\(dimension) \(hidden) B=\(count)" }
  }

  static let shapes = [
    Shape(dimension: 1, hidden: [1], count: 1), Shape(dimension: 1, hidden: [3, 5], count: 2),
    Shape(dimension: 2, hidden: [64, 64, 64], count: 31), Shape(dimension: 3, hidden: [8, 9], count: 32),
    Shape(dimension: 5, hidden: [7, 6, 11], count: 33), Shape(dimension: 13, hidden: [97, 61], count: 53),
    Shape(dimension: 43, hidden: [64, 65], count: 17), Shape(dimension: 6, hidden: [60, 60, 60], count: 101),
    Shape(dimension: 67, hidden: [31], count: 7),
  ]

  /// The bounds are 2,000 ulp for states and 20,000 ulp for gradients, as `AgreementTests` derives them. Instruction
  /// sets differ only in the order of additions and in fused multiply-adds.
  private func compare<Scalar: FlowScalar>(
    _ shape: Shape, _ isa: InstructionSet, method: String = "rk4", _: Scalar.Type
  ) throws -> Int {
    var comparisons = 0
    for (activation, trace, regularisation) in [
      (Activation.tanh, Trace.hutchinson, Regularisation.none), (.softplus, .exact, .none), (.silu, .hutchinson, .none),
      (.relu, .none, .none), (.tanh, .hutchinson, regularisations[2]), (.softplus, .exact, regularisations[2]),
    ] {
      let program = Fixtures.net(shape.dimension, shape.hidden, activation)
      let options = Fixtures.options(method, .fixed(steps: 5), trace: trace, regularisation: regularisation)
      let problem = SolveProblem<Scalar>(
        parameters: Fixtures.parameters(for: program, seed: 91),
        states: Fixtures.normals(shape.dimension * shape.count, seed: 92), from: 0, to: 1)
      let loss = Loss<Scalar>.standardNormalNegativeLogLikelihood(scale: 1 / Double(shape.count))
      let expected = try KernelSolver<Scalar>(program: program, options: options, isa: .generic)
        .gradient(of: loss, regularisation: regularisation, at: problem)
      let found = try KernelSolver<Scalar>(program: program, options: options, isa: isa)
        .gradient(of: loss, regularisation: regularisation, at: problem)
      let stateUlps = largestDifference(found.solution.states, expected.solution.states)
      let logUlps = largestDifference(
        found.solution.logDeterminants.map { Scalar($0) }, expected.solution.logDeterminants.map { Scalar($0) })
      let integralUlps = largestDifference(
        (found.solution.kineticEnergies + found.solution.frobeniusNorms).map { Scalar($0) },
        (expected.solution.kineticEnergies + expected.solution.frobeniusNorms).map { Scalar($0) })
      #expect(integralUlps < 2_000, "\(shape) \(activation): \(integralUlps) ulp of the regularisers")
      let gradientUlps = largestDifference(found.parameters, expected.parameters)
      let initialUlps = largestDifference(found.states, expected.states)
      #expect(stateUlps < 2_000 && logUlps < 2_000, "\(shape) \(activation): \(stateUlps), \(logUlps) ulp")
      #expect(
        gradientUlps < 20_000 && initialUlps < 20_000, "\(shape) \(activation): \(gradientUlps), \(initialUlps) ulp")
      comparisons += 1
    }
    return comparisons
  }

  /// The C tests compare the portable set, kernel by kernel, with scalar code.
  @Test(arguments: InstructionSet.allCases.filter { $0 != .automatic && $0 != .generic })
  func setsAgree(isa: InstructionSet) throws {
    guard isa.isAvailable else {
      print("instruction set \(isa): SKIPPED, this machine lacks it")
      return
    }
    var comparisons = 0
    for shape in Self.shapes {
      comparisons += try compare(shape, isa, Float.self)
      comparisons += try compare(shape, isa, Double.self)
    }
    for method in Methods.rungeKutta {
      let shape = Shape(dimension: 5, hidden: [7, 6, 11], count: 33)
      comparisons += try compare(shape, isa, method: method.name, Float.self)
      comparisons += try compare(shape, isa, method: method.name, Double.self)
    }
    print("instruction set \(isa): \(comparisons) comparisons of whole gradients")
    #expect(comparisons == (Self.shapes.count + Methods.rungeKutta.count) * 2 * 6)
  }
}
