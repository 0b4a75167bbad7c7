import NeuralODE
import Testing

/// The gradient has the same bits whether an evaluation is kept for the backward pass or recomputed.
@Suite struct KeptEvaluationsTests {
  struct Case: CustomTestStringConvertible {
    let method: String
    let control: StepControl
    let trace: Trace
    let isa: InstructionSet
    var regularisation = Regularisation.none
    var testDescription: String { "\(method), \(control), \(trace), \(isa), \(regularisation)" }
  }

  /// Methods with and without FSAL, and with stages of weight 0.
  static let cases: [Case] = instructionSets.flatMap { isa in
    cases(isa)
      + cases(isa).filter { regularisations[2].fits($0.trace) }.map {
        var test = $0
        test.regularisation = regularisations[2]
        return test
      }
  }

  private static func cases(_ isa: InstructionSet) -> [Case] {
    Methods.rungeKutta.flatMap { method in
      let traces: [Trace] = method.isAdaptive ? [.none, .hutchinson, .exactTangents, .exactProduct] : [.hutchinson]
      return traces.map { Case(method: method.name, control: .fixed(steps: 4), trace: $0, isa: isa) }
    }
      + Methods.rungeKutta.filter(\.isAdaptive).flatMap { method in
        [Trace.hutchinson, .exactTangents, .exactProduct].map {
          Case(method: method.name, control: .perSample(rtol: 1e-4, atol: 1e-4), trace: $0, isa: isa)
        }
      }
  }

  private static let dimension = 3
  private static let count = 203

  private func gradient(
    _ test: Case, program: FieldProgram, probes: Int, bytes: Int?
  ) throws -> Gradient<Float> {
    var options = Fixtures.options(
      test.method, test.control, trace: test.trace, probes: probes, regularisation: test.regularisation)
    options.keptEvaluationBytes = bytes
    let solver = try KernelSolver<Float>(program: program, options: options, isa: test.isa)
    return try solver.gradient(
      of: .standardNormalNegativeLogLikelihood(scale: 1.0 / Double(Self.count)), regularisation: test.regularisation,
      at: SolveProblem(
        parameters: Fixtures.parameters(for: program, seed: 91, gain: 1.5),
        states: Fixtures.normals(Self.count * Self.dimension, seed: 92), from: 1, to: 0, seed: 7))
  }

  private func expectSameBits(_ test: Case, program: FieldProgram, probes: Int) throws {
    let expected = try gradient(test, program: program, probes: probes, bytes: 0)
    #expect(expected.parameters.contains { $0 != 0 })
    // Memory for some of the steps, and then for all.
    for bytes in [100_000, 400_000, nil] {
      let found = try gradient(test, program: program, probes: probes, bytes: bytes)
      #expect(bits(found.parameters) == bits(expected.parameters), "parameters, \(String(describing: bytes)) bytes")
      #expect(bits(found.states) == bits(expected.states), "states, \(String(describing: bytes)) bytes")
      #expect(bits(found.startTimes) == bits(expected.startTimes) && bits(found.endTimes) == bits(expected.endTimes))
      #expect(bits(found.losses) == bits(expected.losses))
    }
  }

  @Test(arguments: cases) func gradientsAreTheSame(test: Case) throws {
    try expectSameBits(test, program: Fixtures.net(Self.dimension, [33, 20], .softplus), probes: 1)
  }

  @Test(arguments: cases.filter { $0.trace == .hutchinson || $0.trace == .exactTangents })
  func gradientsOfEveryOperationAreTheSame(test: Case) throws {
    for probes in test.trace == .hutchinson ? [3, 11] : [1] {
      try expectSameBits(test, program: Fixtures.everyOperation(Self.dimension, .silu), probes: probes)
      try expectSameBits(test, program: Fixtures.sideBySide(Self.dimension, .tanh), probes: probes)
    }
  }
}
