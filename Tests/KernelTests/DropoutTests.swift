import NeuralODE
import PureSwift
import Testing

/// A network with dropout, which has one mask per solve, equals a network without dropout that multiplies by the
/// numbers of the mask. Both give the same steps and bits, with the C kernels and with `PureSwift`.
/// (`Tests/C/dropout_steps_test.c` has more methods, and shows what it costs to draw a mask in each evaluation.)
@Suite struct DropoutTests {
  static let cases = LayerTests.cases.filter { $0.architecture.dropout > 0 }

  @Test(arguments: cases, [1e-4, 1e-8])
  func dropoutEqualsMultiplicationByItsMask(test: LayerTests.Case, tolerance: Double) throws {
    let options = Fixtures.options("dopri5", .perSample(rtol: tolerance, atol: tolerance), trace: .hutchinson)
    let dropped = LayerTests.problem(test.program, Double.self)
    let masked = Self.withMasksAsContext(dropped, of: test.program)
    let program = Self.withMasksAsContext(test.program)
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1)
    func gradients(_ program: FieldProgram, _ problem: SolveProblem<Double>) throws -> [Gradient<Double>] {
      [
        try KernelSolver<Double>(program: program, options: options).gradient(of: loss, at: problem),
        try PureSwiftSolver<Double>(program: program, options: options, tableau: try Methods.named("dopri5"))
          .gradient(of: loss, at: problem),
      ]
    }
    for (with, without) in zip(try gradients(test.program, dropped), try gradients(program, masked)) {
      #expect(with.solution.statuses.allSatisfy { $0 == .ok })
      #expect(with.solution.acceptedSteps == without.solution.acceptedSteps)
      #expect(with.solution.evaluations == without.solution.evaluations)
      #expect(bits(with.solution.states) == bits(without.solution.states))
      #expect(bits(with.solution.logDeterminants) == bits(without.solution.logDeterminants))
      #expect(bits(with.parameters) == bits(without.parameters))
      #expect(bits(with.states) == bits(without.states))
    }
    // The masks change the result.
    var whole = dropped
    whole.dropoutIsActive = false
    let solver = try KernelSolver<Double>(program: test.program, options: options)
    #expect(try solver.solve(whole).states != (try solver.solve(dropped).states))
  }

  /// The program with its dropouts replaced by products with slices of the context. The context has all masks after its
  /// own rows.
  private static func withMasksAsContext(_ program: FieldProgram) -> FieldProgram {
    let own = program.contextDimension
    let maskRows = program.dropoutLayouts.reduce(0) { $0 + $1.rows }
    var masked = FieldProgram(stateDimension: program.stateDimension)
    let context = masked.append(.context(rows: own + maskRows))
    var blocks = [FieldProgram.Block.state]
    for (number, operation) in program.operations.enumerated() {
      let inputs = operation.inputs.map { blocks[$0.index] }
      let block: FieldProgram.Block
      switch operation {
      case .dropout:
        guard let layout = program.dropoutLayouts.first(where: { $0.operation == number }) else {
          preconditionFailure("operation \(number) has no mask")
        }
        let mask = masked.append(.slice(input: context, first: own + layout.firstMaskRow, rows: layout.rows))
        block = masked.append(.multiply(inputs[0], mask))
      case .context: block = masked.append(.slice(input: context, first: 0, rows: own))
      case .linear(_, let rows, let activation):
        block = masked.append(.linear(input: inputs[0], rows: rows, activation: activation))
      case .activation(_, let activation): block = masked.append(.activation(input: inputs[0], activation))
      case .time: block = masked.append(.time)
      case .add: block = masked.append(.add(inputs[0], inputs[1]))
      case .concatenate: block = masked.append(.concatenate(inputs[0], inputs[1]))
      case .multiply: block = masked.append(.multiply(inputs[0], inputs[1]))
      case .slice(_, let first, let rows):
        block = masked.append(.slice(input: inputs[0], first: first, rows: rows))
      case .layerNorm(_, let epsilon): block = masked.append(.layerNorm(input: inputs[0], epsilon: epsilon))
      case .scale(_, let factor, let offset):
        block = masked.append(.scale(input: inputs[0], by: factor, plus: offset))
      case .callback, .transposed, .sum: preconditionFailure("no architecture has operation \(operation)")
      }
      blocks.append(block)
    }
    return masked
  }

  /// The problem with its masks in the context. They are drawn with the key that `cnf.h` states.
  private static func withMasksAsContext(
    _ problem: SolveProblem<Double>, of program: FieldProgram
  ) -> SolveProblem<Double> {
    let source = RandomSource(seed: problem.seed, stream: .dropout, step: problem.step)
    let own = program.contextDimension
    var masked = problem
    masked.dropoutIsActive = false
    masked.context = (0..<LayerTests.count).flatMap { sample -> [Double] in
      let identifier = problem.sampleIdentifiers?[sample] ?? UInt64(sample)
      let masks = program.dropoutLayouts.flatMap { layout in
        (layout.firstMaskRow..<layout.firstMaskRow + layout.rows).map { row in
          source.uniform(sample: identifier, dimension: row) < layout.rate ? 0 : 1 / (1 - layout.rate)
        }
      }
      return problem.context[sample * own..<(sample + 1) * own] + masks
    }
    return masked
  }
}
