import NeuralODE
import PureSwift
import Testing

/// Dropout with one mask a solve is a net without dropout that multiplies by the mask's numbers: the same steps, the same bits, by C
/// kernels and by Swift alone. (`Tests/C/dropout_steps_test.c` has more methods, and what a mask drawn in each evaluation costs.)
@Suite struct DropoutTests {
  static let cases = LayerTests.cases.filter { $0.architecture.dropout > 0 }

  @Test(arguments: cases, [1e-4, 1e-8])
  func aMaskIsAFactorOfEachRow(test: LayerTests.Case, tolerance: Double) throws {
    let options = Fixtures.options("dopri5", .perSample(rtol: tolerance, atol: tolerance), trace: .hutchinson)
    let dropped = LayerTests.problem(test.program, Double.self)
    let baked = Self.baked(dropped, of: test.program)
    let program = Self.baked(test.program)
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1)
    func gradients(_ program: FieldProgram, _ problem: SolveProblem<Double>) throws -> [Gradient<Double>] {
      [
        try KernelSolver<Double>(program: program, options: options).gradient(of: loss, at: problem),
        try PureSwiftSolver<Double>(program: program, options: options, tableau: try Methods.named("dopri5"))
          .gradient(of: loss, at: problem),
      ]
    }
    for (with, without) in zip(try gradients(test.program, dropped), try gradients(program, baked)) {
      #expect(with.solution.statuses.allSatisfy { $0 == .ok })
      #expect(with.solution.acceptedSteps == without.solution.acceptedSteps)
      #expect(with.solution.evaluations == without.solution.evaluations)
      #expect(bits(with.solution.states) == bits(without.solution.states))
      #expect(bits(with.solution.logDeterminants) == bits(without.solution.logDeterminants))
      #expect(bits(with.parameters) == bits(without.parameters))
      #expect(bits(with.states) == bits(without.states))
    }
    // The mask is no formality.
    var whole = dropped
    whole.dropoutIsActive = false
    let solver = try KernelSolver<Double>(program: test.program, options: options)
    #expect(try solver.solve(whole).states != (try solver.solve(dropped).states))
  }

  /// The same operations but for the dropouts, which are products with slices of a context that has all masks behind its own rows.
  private static func baked(_ program: FieldProgram) -> FieldProgram {
    let own = program.contextDimension
    let maskRows = program.dropoutLayouts.reduce(0) { $0 + $1.rows }
    var baked = FieldProgram(stateDimension: program.stateDimension)
    let given = baked.append(.context(rows: own + maskRows))
    var blocks = [FieldProgram.Block.state]
    for (number, operation) in program.operations.enumerated() {
      let inputs = operation.inputs.map { blocks[$0.index] }
      let block: FieldProgram.Block
      switch operation {
      case .dropout:
        guard let layout = program.dropoutLayouts.first(where: { $0.operation == number }) else {
          preconditionFailure("operation \(number) has no mask")
        }
        let mask = baked.append(.slice(input: given, first: own + layout.firstMaskRow, rows: layout.rows))
        block = baked.append(.multiply(inputs[0], mask))
      case .context: block = baked.append(.slice(input: given, first: 0, rows: own))
      case .linear(_, let rows, let activation):
        block = baked.append(.linear(input: inputs[0], rows: rows, activation: activation))
      case .activation(_, let activation): block = baked.append(.activation(input: inputs[0], activation))
      case .time: block = baked.append(.time)
      case .add: block = baked.append(.add(inputs[0], inputs[1]))
      case .concatenate: block = baked.append(.concatenate(inputs[0], inputs[1]))
      case .multiply: block = baked.append(.multiply(inputs[0], inputs[1]))
      case .slice(_, let first, let rows):
        block = baked.append(.slice(input: inputs[0], first: first, rows: rows))
      case .layerNorm(_, let epsilon): block = baked.append(.layerNorm(input: inputs[0], epsilon: epsilon))
      case .scale(_, let factor, let offset):
        block = baked.append(.scale(input: inputs[0], by: factor, plus: offset))
      case .callback, .transposed, .sum: preconditionFailure("no architecture has operation \(operation)")
      }
      blocks.append(block)
    }
    return baked
  }

  /// The problem with its masks in the context, drawn by the key that `cnf.h` states.
  private static func baked(_ problem: SolveProblem<Double>, of program: FieldProgram) -> SolveProblem<Double> {
    let source = RandomSource(seed: problem.seed, stream: .dropout, step: problem.step)
    let own = program.contextDimension
    var baked = problem
    baked.dropoutIsActive = false
    baked.context = (0..<LayerTests.count).flatMap { sample -> [Double] in
      let identifier = problem.sampleIdentifiers?[sample] ?? UInt64(sample)
      let masks = program.dropoutLayouts.flatMap { layout in
        (layout.firstMaskRow..<layout.firstMaskRow + layout.rows).map { row in
          source.uniform(sample: identifier, dimension: row) < layout.rate ? 0 : 1 / (1 - layout.rate)
        }
      }
      return problem.context[sample * own..<(sample + 1) * own] + masks
    }
    return baked
  }
}
