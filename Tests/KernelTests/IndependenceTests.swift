import NeuralODE
import PureSwift
import Testing

/// The results of a sample do not depend on the other samples, and gradients do not depend on the number of threads.
/// All comparisons are of bits.
@Suite struct IndependenceTests {
  private static let count = 1_000
  private let dimension = 2

  /// Without a number of threads both backends take as many as the process may use, by the C library's count.
  @Test func bothBackendsTakeTheMachinesThreads() throws {
    let program = FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [4], activation: .tanh)
    let kernels = try makeSolver(program: program, options: SolverOptions(), backend: .c, scalar: Double.self)
    let swift = try makeSolver(program: program, options: SolverOptions(), backend: .swift, scalar: Double.self)
    #expect((kernels as? KernelSolver<Double>)?.threadCount == Machine.threadCount)
    #expect((swift as? PureSwiftSolver<Double>)?.options.threads == Machine.threadCount)
  }

  struct Case: CustomTestStringConvertible {
    var method = "dopri5"
    let activation: Activation
    let trace: Trace
    let control: StepControl
    let isa: InstructionSet
    var regularisation = Regularisation.none
    var testDescription: String { "\(method), \(activation), \(trace), \(control), \(isa), \(regularisation)" }
  }

  static let cases: [Case] = instructionSets.flatMap { isa in
    cases(isa)
      + [Trace.hutchinson, .exact].flatMap { trace in
        [StepControl.perSample(rtol: 1e-5, atol: 1e-5), .fixed(steps: 7)].map {
          Case(activation: .tanh, trace: trace, control: $0, isa: isa, regularisation: regularisations[2])
        }
      }
  }

  private static func cases(_ isa: InstructionSet) -> [Case] {
    [Activation.tanh, .softplus].flatMap { activation in
      [Trace.hutchinson, .exact].flatMap { trace in
        [StepControl.perSample(rtol: 1e-5, atol: 1e-5), .fixed(steps: 7)].map {
          Case(activation: activation, trace: trace, control: $0, isa: isa)
        }
      }
    }
  }

  private func solver(_ test: Case, threads: Int) throws -> KernelSolver<Float> {
    try KernelSolver(
      program: Fixtures.net(dimension, [33, 32], test.activation),
      options: Fixtures.options(
        test.method, test.control, trace: test.trace, threads: threads, regularisation: test.regularisation),
      isa: test.isa)
  }

  /// The problem with these samples, which keep their identifiers at any position in the batch.
  private func problem(_ test: Case, _ samples: [Int]) -> SolveProblem<Float> {
    let program = Fixtures.net(dimension, [33, 32], test.activation)
    let states: [Float] = Fixtures.normals(Self.count * dimension, seed: 71)
    return SolveProblem(
      parameters: Fixtures.parameters(for: program, seed: 72, gain: 1.5),
      states: samples.flatMap { states[$0 * dimension..<($0 + 1) * dimension] }, from: 1, to: 0, seed: 4,
      sampleIdentifiers: samples.map { UInt64($0) })
  }

  private struct Answer: Equatable {
    let state: [UInt32]
    let logDeterminant: UInt64
    /// The kinetic energy and the Frobenius norm, if they are integrated.
    let regularisers: [UInt64]
    let steps: [Int]
    let status: SampleStatus
  }

  private func answers(_ solution: Solution<Float>) -> [Answer] {
    solution.statuses.indices.map { sample in
      Answer(
        state: bits(Array(solution.states[sample * dimension..<(sample + 1) * dimension])),
        logDeterminant: solution.logDeterminants[sample].bitPattern,
        regularisers: [solution.kineticEnergies, solution.frobeniusNorms].filter { !$0.isEmpty }.map {
          $0[sample].bitPattern
        },
        steps: [solution.acceptedSteps[sample], solution.rejectedSteps[sample], solution.evaluations[sample]],
        status: solution.statuses[sample])
    }
  }

  @Test(arguments: cases)
  func samplesDoNotDependOnTheirBatch(test: Case) throws {
    let all = Array(0..<Self.count)
    let expected = answers(try solver(test, threads: 1).solve(problem(test, all)))
    #expect(Set(expected.map(\.steps)).count > (test.control == .fixed(steps: 7) ? 0 : 3))
    #expect(expected[0].regularisers.count == (test.regularisation == .none ? 0 : 2))
    for threads in [2, 3, 8] {
      #expect(answers(try solver(test, threads: threads).solve(problem(test, all))) == expected, "\(threads) threads")
    }
    let two = try solver(test, threads: 2)
    for batch in [1, 7, 64] {
      for first in stride(from: 0, to: Self.count, by: batch) {
        let samples = Array(first..<min(first + batch, Self.count))
        let found = answers(try two.solve(problem(test, samples)))
        #expect(found == Array(expected[samples.first!...samples.last!]), "batch of \(batch) from sample \(first)")
      }
    }
    var generator = PhiloxGenerator(RandomSource(seed: 1, stream: .shuffle))
    let permuted = all.shuffled(using: &generator)
    #expect(answers(try two.solve(problem(test, permuted))) == permuted.map { expected[$0] })
  }

  @Test(arguments: cases)
  func gradientsDoNotDependOnThreads(test: Case) throws {
    let loss = Loss<Float>.standardNormalNegativeLogLikelihood(scale: 1e-3)
    let problem = problem(test, Array(0..<Self.count))
    let expected = try solver(test, threads: 1).gradient(of: loss, regularisation: test.regularisation, at: problem)
    #expect(expected.parameters.contains { $0 != 0 })
    for threads in [2, 3, 8] {
      let found = try solver(test, threads: threads).gradient(
        of: loss, regularisation: test.regularisation, at: problem)
      #expect(bits(found.parameters) == bits(expected.parameters), "\(threads) threads")
      #expect(bits(found.states) == bits(expected.states), "\(threads) threads")
      #expect(bits(found.startTimes) == bits(expected.startTimes) && bits(found.endTimes) == bits(expected.endTimes))
      #expect(bits(found.losses) == bits(expected.losses))
      #expect(answers(found.solution) == answers(expected.solution))
    }
  }

  /// Every method on few samples: alone, in batches, at other positions, and with other numbers of threads.
  @Test(arguments: Methods.rungeKutta) func everyMethodIsIndependent(method: ButcherTableau) throws {
    let fixed = StepControl.fixed(steps: 3)
    let all = Array(0..<97)
    for control in method.isAdaptive ? [fixed, .perSample(rtol: 1e-3, atol: 1e-3)] : [fixed] {
      let test = Case(
        method: method.name, activation: .tanh, trace: .hutchinson, control: control, isa: .automatic)
      let loss = Loss<Float>.standardNormalNegativeLogLikelihood(scale: 1e-2)
      let expected = try solver(test, threads: 1).gradient(of: loss, at: problem(test, all))
      let answers = answers(expected.solution)
      #expect(answers.allSatisfy { $0.status == .ok } && expected.parameters.contains { $0 != 0 })
      for threads in [2, 3] {
        let found = try solver(test, threads: threads).gradient(of: loss, at: problem(test, all))
        #expect(bits(found.parameters) == bits(expected.parameters), "\(threads) threads")
        #expect(bits(found.states) == bits(expected.states) && self.answers(found.solution) == answers)
      }
      let two = try solver(test, threads: 2)
      for samples in [[0], [96], Array(40..<47), all.reversed()] {
        #expect(self.answers(try two.solve(problem(test, samples))) == samples.map { answers[$0] })
      }
    }
  }

  /// A sample that diverges or is NaN changes no bit of the other samples, and adds nothing to the gradient.
  @Test(arguments: instructionSets, [Regularisation.none] + regularisations)
  func failuresDoNotSpread(isa: InstructionSet, regularisation: Regularisation) throws {
    let test = Case(
      activation: .tanh, trace: .exact, control: .perSample(rtol: 1e-5, atol: 1e-5), isa: isa,
      regularisation: regularisation)
    let healthy = problem(test, Array(0..<100))
    let solver = try solver(test, threads: 2)
    let loss = Loss<Float>.standardNormalNegativeLogLikelihood(scale: 1)
    let expected = try solver.gradient(of: loss, regularisation: regularisation, at: healthy)
    var withFailures = healthy
    let inserted: [Float] = [.nan, 1, 2, .infinity, -.infinity, .nan, 3e38, -3e38]
    // Four bad samples are inserted into the first tile; the samples after them move to other lanes.
    withFailures.states = Array(healthy.states[..<10]) + inserted + Array(healthy.states[10...])
    withFailures.sampleIdentifiers =
      (0..<5).map { UInt64($0) } + [1000, 1001, 1002, 1003] + (5..<100).map { UInt64($0) }
    let found = try solver.gradient(of: loss, regularisation: regularisation, at: withFailures)
    #expect(found.solution.statuses[5...7].allSatisfy { $0 == .notFinite })
    let answers = answers(found.solution)
    #expect(Array(answers[..<5] + answers[9...]) == self.answers(expected.solution))
    #expect(found.losses[5...7].allSatisfy { $0.isNaN })
    #expect(found.states[10..<16].allSatisfy { $0 == 0 })
    // The last of the four stays finite, so it adds to the gradient; the other three add nothing. The healthy samples
    // are summed in other lanes, which changes the sum by at most n·ulp of the largest sum.
    let fourth = try solver.gradient(
      of: loss, regularisation: regularisation,
      at: SolveProblem(
        parameters: healthy.parameters, states: Array(inserted[6...]), from: 1, to: 0, seed: 4,
        sampleIdentifiers: [1003]))
    let sum = zip(expected.parameters, fourth.parameters).map { $0 + $1 }
    #expect(largestDifference(found.parameters, sum) < 104)
  }
}
