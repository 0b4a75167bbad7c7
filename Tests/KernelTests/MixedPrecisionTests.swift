import NeuralODE
import Testing

/// Mixed precision: derivatives are close to those of full precision, states have the same bits, and results stay
/// independent of batch and threads.
@Suite struct MixedPrecisionTests {
  struct Case: CustomTestStringConvertible {
    let trace: Trace
    let control: StepControl
    let isa: InstructionSet
    var testDescription: String { "\(trace), \(control), \(isa)" }
  }

  static let cases: [Case] = instructionSets.flatMap { isa in
    [StepControl.fixed(steps: 5), .perSample(rtol: 1e-4, atol: 1e-4)].flatMap { control in
      [Trace.none, .hutchinson, .exactTangents, .exactProduct].map { Case(trace: $0, control: control, isa: isa) }
    }
  }

  private static let dimension = 9
  private static let hidden = [37, 29]

  private func gradient(
    _ test: Case, _ precision: Precision, program: FieldProgram, rows: Range<Int> = 0..<53, threads: Int = 2,
    bytes: Int? = nil, probes: Int = 1
  ) throws -> Gradient<Float> {
    var options = Fixtures.options("dopri5", test.control, trace: test.trace, probes: probes, threads: threads)
    options.precision = precision
    options.keptEvaluationBytes = bytes
    // Mixed precision always leaves the log-determinant out of the error norm. Full precision needs the option for
    // that.
    options.errorNormIncludesLogDeterminant = precision == .mixed
    let solver = try KernelSolver<Float>(program: program, options: options, isa: test.isa)
    let states: [Float] = Fixtures.normals(53 * Self.dimension, seed: 32)
    return try solver.gradient(
      of: .standardNormalNegativeLogLikelihood(scale: 1),
      at: SolveProblem(
        parameters: Fixtures.parameters(for: program, seed: 31, gain: 1.5),
        states: Array(states[rows.lowerBound * Self.dimension..<rows.upperBound * Self.dimension]), from: 1, to: 0,
        seed: 7, sampleIdentifiers: rows.map { UInt64($0) }))
  }

  private static let programs = [
    Fixtures.net(dimension, hidden, .tanh), Fixtures.everyOperation(dimension, .softplus),
  ]

  /// The relative error of a rounded operand is at most 2⁻⁹, and that of a product twice that. A gradient passes
  /// through a product of tangents and one of cotangents for each of at most three nonlinear layers, and through its
  /// own product: 7 · 2 · 2⁻⁹. The lower bound shows that operands were rounded.
  @Test(arguments: cases) func gradientIsCloseToThatOfFullPrecision(test: Case) throws {
    for program in Self.programs where test.trace != .exactProduct || program == Self.programs[0] {
      let full = try gradient(test, .full, program: program)
      let mixed = try gradient(test, .mixed, program: program)
      for (found, expected) in [(mixed.parameters, full.parameters), (mixed.states, full.states)] {
        let error = relativeError(found, expected)
        #expect(error > 1e-5 && error < 14 * 0x1p-9, "\(error)")
      }
    }
  }

  /// Values are computed in float, so states and steps are the same to the bit.
  @Test(arguments: cases) func statesAreThoseOfFullPrecision(test: Case) throws {
    for program in Self.programs where test.trace != .exactProduct || program == Self.programs[0] {
      let full = try gradient(test, .full, program: program).solution
      let mixed = try gradient(test, .mixed, program: program).solution
      #expect(bits(mixed.states) == bits(full.states))
      #expect(mixed.acceptedSteps == full.acceptedSteps && mixed.rejectedSteps == full.rejectedSteps)
      #expect(mixed.evaluations == full.evaluations)
      let worst = zip(mixed.logDeterminants, full.logDeterminants).map { abs($0 - $1) }.max() ?? 0
      let size = full.logDeterminants.map(abs).max() ?? 0
      #expect(test.trace == .none ? worst == 0 : worst < 14 * 0x1p-9 * max(1, size), "\(worst) of \(size)")
    }
  }

  /// A sample has the same bits alone, in other batches, with other numbers of threads, and with evaluations kept or
  /// recomputed.
  @Test(arguments: cases) func resultsDoNotDependOnBatchAndThreads(test: Case) throws {
    for program in Self.programs where test.trace != .exactProduct || program == Self.programs[0] {
      let whole = try gradient(test, .mixed, program: program)
      let single = try gradient(test, .mixed, program: program, threads: 1, bytes: 0)
      #expect(bits(single.parameters) == bits(whole.parameters) && bits(single.states) == bits(whole.states))
      for row in [0, 17, 52] {
        let alone = try gradient(test, .mixed, program: program, rows: row..<row + 1)
        let columns = row * Self.dimension..<(row + 1) * Self.dimension
        #expect(bits(alone.solution.states) == bits(Array(whole.solution.states[columns])))
        #expect(bits(alone.solution.logDeterminants) == bits([whole.solution.logDeterminants[row]]))
        #expect(bits(alone.states) == bits(Array(whole.states[columns])))
      }
    }
  }

  @Test(arguments: instructionSets) func severalProbesRunSideBySide(isa: InstructionSet) throws {
    let test = Case(trace: .hutchinson, control: .fixed(steps: 3), isa: isa)
    for program in Self.programs {
      let full = try gradient(test, .full, program: program, probes: 11)
      let mixed = try gradient(test, .mixed, program: program, probes: 11)
      let error = relativeError(mixed.parameters, full.parameters)
      #expect(error > 1e-5 && error < 14 * 0x1p-9, "\(error)")
    }
  }

  @Test func doubleAndSwiftAreRefused() throws {
    let program = Self.programs[0]
    var options = SolverOptions()
    options.precision = .mixed
    #expect(throws: KernelError.self) { try KernelSolver<Double>(program: program, options: options) }
    #expect(throws: (any Error).self) {
      try makeSolver(program: program, options: options, backend: .swift, scalar: Float.self)
    }
  }

  private func relativeError(_ found: [Float], _ expected: [Float]) -> Double {
    let error = zip(found, expected).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    return (error / expected.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
  }
}
