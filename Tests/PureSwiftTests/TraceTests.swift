import FieldPrograms
import PureSwift
import Testing

@Suite struct TraceTests {
  static let dimension = 3
  static let count = 4

  static func problem(_ program: FieldProgram, probes: [Double]? = nil) -> SolveProblem<Double> {
    SolveProblem(
      parameters: Fixtures.normals(program.parameterCount, seed: 3, scale: 0.6),
      states: Fixtures.normals(count * dimension, seed: 4), from: 0.3, to: 1, probes: probes)
  }

  static func divergences(_ program: FieldProgram, _ trace: Trace, probes: [Double]? = nil, k: Int = 1) throws
    -> [Double]
  {
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .fixed(steps: 1), trace: trace, tableau: Fixtures.rk4, probes: k)
    return try solver.evaluate(problem(program, probes: probes)).divergences
  }

  /// Combines central differences of f with steps h and 2h. The truncation error is of order h⁴, and the rounding error
  /// is ulp/h. With h² alone the error would be too large: two layers of sin never saturate, so their third derivatives
  /// are not small.
  static func jacobianTraces(_ program: FieldProgram) throws -> [Double] {
    let h = 1e-5
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .fixed(steps: 1), trace: .none, tableau: Fixtures.rk4)
    var traces = [Double](repeating: 0, count: count)
    for axis in 0..<dimension {
      for (steps, weight) in [(1.0, 4.0 / 3), (2, -1.0 / 3)] {
        var above = problem(program)
        var below = above
        for sample in 0..<count {
          above.states[sample * dimension + axis] += steps * h
          below.states[sample * dimension + axis] -= steps * h
        }
        let high = try solver.evaluate(above).velocities
        let low = try solver.evaluate(below).velocities
        for sample in 0..<count {
          let difference = high[sample * dimension + axis] - low[sample * dimension + axis]
          traces[sample] += weight * difference / (2 * steps * h)
        }
      }
    }
    return traces
  }
  static let differenceTolerance = 1e-8
  /// The bound covers two orders of adding the same products.
  static let orderTolerance = 1e-13

  @Test(arguments: [[], [5], [5, 4]], Activation.allCases)
  func exactFormsAgree(_ hidden: [Int], _ activation: Activation) throws {
    for seesTime in [true, false] {
      let program = FieldProgram.multilayerPerceptron(
        stateDimension: Self.dimension, hidden: hidden, activation: activation, seesTime: seesTime)
      let tangents = try Self.divergences(program, .exactTangents)
      let product = try Self.divergences(program, .exactProduct)
      let differences = try Self.jacobianTraces(program)
      for sample in 0..<Self.count {
        #expect(relativeError(tangents[sample], product[sample]) <= Self.orderTolerance)
        #expect(relativeError(tangents[sample], differences[sample]) <= Self.differenceTolerance)
      }
    }
  }

  @Test(arguments: Activation.allCases) func tangentsFitEveryOperation(_ activation: Activation) throws {
    let program = Fixtures.residualProgram(dimension: Self.dimension, activation: activation)
    let tangents = try Self.divergences(program, .exactTangents)
    let differences = try Self.jacobianTraces(program)
    for sample in 0..<Self.count {
      #expect(relativeError(tangents[sample], differences[sample]) <= Self.differenceTolerance)
    }
  }

  @Test func meanOverAllSignsIsExact() throws {
    let program = Fixtures.residualProgram(dimension: Self.dimension, activation: .tanh)
    let exact = try Self.divergences(program, .exactTangents)
    let signs = (0..<1 << Self.dimension).map { pattern in
      (0..<Self.dimension).map { pattern >> $0 & 1 == 1 ? 1.0 : -1.0 }
    }
    // All of them are the K probes of one evaluation.
    let probes = (0..<Self.count).flatMap { _ in signs.flatMap { $0 } }
    let mean = try Self.divergences(program, .hutchinson, probes: probes, k: signs.count)
    for sample in 0..<Self.count { #expect(relativeError(mean[sample], exact[sample]) <= Self.orderTolerance) }
  }

  @Test(arguments: [Probe.rademacher, .gaussian]) func drawnProbesAreKeyedBySample(_ probe: Probe) throws {
    let program = Fixtures.residualProgram(dimension: Self.dimension, activation: .silu)
    let k = 2
    let solver: PureSwiftSolver<Double> = try Fixtures.solver(
      program, .fixed(steps: 1), trace: .hutchinson, tableau: Fixtures.rk4, probes: k, probe: probe)
    var drawn = Self.problem(program)
    drawn.seed = 77
    drawn.step = 5
    drawn.sampleIdentifiers = [9, 3, 1 << 40, 0]
    let source = RandomSource(seed: 77, stream: .probe, step: 5)
    var given = drawn
    given.probes = drawn.sampleIdentifiers!.flatMap { sample in
      (0..<k * Self.dimension).map {
        probe == .gaussian
          ? source.normal(sample: sample, dimension: $0) : source.rademacher(sample: sample, dimension: $0)
      }
    }
    #expect(try solver.evaluate(drawn).divergences == solver.evaluate(given).divergences)
  }

  @Test func choiceGoesByMultiplyAdds() throws {
    func resolved(_ hidden: [Int], _ trace: Trace, probes: Int = 1, dimension: Int = 8) throws -> Trace {
      let program = FieldProgram.multilayerPerceptron(
        stateDimension: dimension, hidden: hidden, activation: .tanh)
      let solver: PureSwiftSolver<Float> = try Fixtures.solver(
        program, .fixed(steps: 1), trace: trace, tableau: Fixtures.rk4, probes: probes)
      return solver.resolvedTrace
    }
    #expect(try resolved([16, 16], .automatic) == .exactProduct)
    #expect(try resolved([16, 16], .exact) == .exactProduct)
    #expect(try resolved([16, 16, 16], .exact) == .exactTangents)
    #expect(try resolved([16, 16, 16], .automatic) == .hutchinson)
    #expect(try resolved([16, 16, 16], .automatic, probes: 4) == .exactTangents)
    #expect(try resolved([16, 16, 16], .automatic, dimension: 2) == .exactTangents)
    #expect(throws: PureSwiftError.traceDoesNotFit(.exactProduct)) { try resolved([16, 16, 16], .exactProduct) }
  }
}
