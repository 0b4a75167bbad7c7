import Foundation
import Testing

@testable import ContinuousFlows

/// Samples of a model are draws of the density that it reports: the map of the density carries them back to the draws
/// of the base that they were made from. `GoodnessOfFitTests` compares both by the program, as a user sees them.
@Suite struct SampleDensityTests {
  /// A model, its base, and the map of its density from samples of the data to states of the base, `[count][2]`.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let model: any DensityModel
    let base: BaseDistribution
    let toBase: @Sendable (SampleMatrix) throws -> [Float]
    var testDescription: String { name }
  }

  private static let tolerance = 1e-6
  /// The field of the narrow data below has poles at √1e-3 = 0.03 from the path of the angle. Longer steps err by many
  /// tolerances there, because an error estimate does not see them.
  private static let longestStep = 0.02
  private static let options = SolverOptions(
    control: .perSample(rtol: tolerance, atol: tolerance), maximumStep: longestStep, trace: .none)
  /// Twice 100 steps or fewer, each with an error of `tolerance · (1 + |x|)` in a component. Back to the base, errors
  /// grow by at most the reciprocal deviation of the narrowest data, 1/√1e-3, whose |x| is below 0.5.
  private static let error: Double = 2 * 100 * 32 * 1.5 * 2.0.squareRoot() * tolerance

  private static func flowBacked(_ name: String, _ model: any FlowBackedModel) -> Case {
    Case(name: name, model: model, base: model.flow.base) { samples in try latent(samples, of: model.flow) }
  }

  private static func latent(_ samples: SampleMatrix, of flow: ContinuousFlow) throws -> [Float] {
    let solver = try makeSolver(program: flow.program, options: options, scalar: Float.self)
    let solution = try solver.solve(
      SolveProblem(
        parameters: flow.parameters, states: flow.latentStates(of: samples), from: flow.endTime, to: 0))
    try SolveFailure.check(solution)
    return solution.states
  }

  private static func discrete(_ model: some DiscreteFlow) -> Case {
    Case(name: "\(type(of: model))", model: model, base: model.base) { samples in
      try model.map(threads: nil, backend: .c, scalar: Float.self).image(
        of: model.transform.forward(samples.values), parameters: model.parameters
      ).states
    }
  }

  /// Every kind of density. At s = 1e-3 the narrow data of `variancePreserving` are 5 % wider than at the cutoff.
  private static func cases() throws -> [Case] {
    var flow = TrainingFixture.flow
    flow.parameters = DiscreteFixture.disturbed(flow.parameters, scale: 0.4)
    var stacked = StackedFlow(
      dimension: 2, blocks: 2, architecture: FieldArchitecture(hidden: [8], activation: .tanh), endTime: 0.5, seed: 7)
    stacked.parameters = DiscreteFixture.disturbed(stacked.parameters, scale: 0.4)
    var hamiltonian = try ContinuousFlow(
      dimension: 2, hamiltonian: HamiltonianArchitecture(hidden: [8, 8], seesTime: true), seed: 3)
    hamiltonian.parameters = hamiltonian.parameters.map { 2 * $0 }
    var transport = try TransportFlow(dimension: 2, architecture: TransportArchitecture(width: 8), seed: 3)
    transport.parameters = DiscreteFixture.disturbed(transport.parameters, scale: 0.2)
    let (plain, stack) = (flow, stacked)
    return [
      Case(name: "flow", model: plain, base: plain.base) { try latent($0, of: plain) },
      flowBacked("timed flow", TimedFlow(plain)),
      Case(name: "stacked flow", model: stack, base: stack.base) { samples in
        try StackedSolver<Float>(of: stack, options: options, backend: .c).solveToBase(
          .init(parameters: stack.parameters, states: stack.transform.forward(samples.values))
        ).states
      },
      flowBacked("Hamiltonian flow", HamiltonianFlow(hamiltonian)), flowBacked("OT-Flow", transport),
      discrete(DiscreteFixture.coupling(dimension: 2)), discrete(DiscreteFixture.affine(dimension: 2)),
      discrete(DiscreteFixture.linear(dimension: 2)),
    ]
      + DiffusionProcess.all.map {
        flowBacked("diffusion \($0.kind)", GaussianDiffusion($0, dimension: 2, variances: [1e-3]).model)
      }
  }

  @Test func samplesComeBackToTheBase() throws {
    let count = 8_000
    for one in try Self.cases() {
      let samples = try one.model.samples(count: count, seed: 4, options: Self.options, backend: .c, context: nil)
      let found = try one.toBase(samples)
      let drawn = one.base.samples(count: count, dimension: 2, seed: 4).values
      let miss = zip(found, drawn).map { abs(Double($0) - Double($1)) }.max() ?? .nan
      #expect(miss < Self.error, "\(one.name): \(miss)")
      // Every base here is a normal distribution; its deviation is not exactly 1 for one of the diffusions.
      var deviation = 1.0
      if case .gaussian(_, let deviations) = one.base { deviation = Double(deviations[0]) }
      try Self.checkNormal(found.map { Double($0) / deviation }, one.name)
    }
  }

  /// Norms and directions of standard normal samples of the plane, `[count][2]`, in cells of equal probability.
  private static func checkNormal(_ states: [Double], _ name: String) throws {
    let cells = 20
    var (norms, directions) = ([Int](repeating: 0, count: cells), [Int](repeating: 0, count: cells))
    for place in stride(from: 0, to: states.count, by: 2) {
      let (x, y) = (states[place], states[place + 1])
      // |z|² / 2 is exponential.
      norms[min(cells - 1, Int(Double(cells) * exp(-0.5 * (x * x + y * y))))] += 1
      directions[min(cells - 1, Int(Double(cells) * (atan2(y, x) / (2 * Double.pi) + 0.5)))] += 1
    }
    let expected = Double(states.count / 2) / Double(cells)
    for (kind, counts) in [("norms", norms), ("directions", directions)] {
      let statistic = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
      // The quantile of chi-square with 19 degrees of freedom at 1 - 1e-6 (scipy.stats.chi2.isf).
      #expect(statistic < 63.7, "\(kind) of \(name): chi-square \(statistic) on 19")
    }
  }
}
