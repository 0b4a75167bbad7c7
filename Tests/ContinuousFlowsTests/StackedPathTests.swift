import Testing

@testable import ContinuousFlows

/// Compares densities along paths through the blocks with those of a single flow and of `logDensities`.
@Suite struct StackedPathTests {
  private static let tolerance = 1e-6
  private static let options = SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance))

  private static func flow(_ blocks: Int, context: Int = 0) -> StackedFlow {
    var flow = StackedFlow(
      dimension: 2, blocks: blocks,
      architecture: FieldArchitecture(hidden: [8], activation: .tanh, contextDimension: context), endTime: 0.7, seed: 3,
      transform: DataTransform(shift: [1, -2], scale: [0.5, 4]), base: DiscreteFixture.mixture)
    flow.parameters = DiscreteFixture.disturbed(flow.parameters, scale: 0.4)
    return flow
  }

  @Test(arguments: Backend.allCases) func oneBlockIsAContinuousFlow(backend: Backend) throws {
    let stacked = Self.flow(1)
    let flow = ContinuousFlow(
      program: stacked.programs[0], parameters: stacked.parameters, endTime: stacked.endTime,
      transform: stacked.transform, base: stacked.base)
    let times = [0, 0.2, 0.2, 0.7]
    #expect(
      try stacked.logDensityPaths(count: 5, seed: 2, times: times, options: Self.options, backend: backend)
        == flow.logDensityPaths(count: 5, seed: 2, times: times, options: Self.options, backend: backend))
  }

  @Test(arguments: [0, 1], Backend.allCases) func theyEndAsSamplesAndBeginAsTheBase(context: Int, backend: Backend)
    throws
  {
    let flow = Self.flow(3, context: context)
    let known = context == 0 ? nil : SampleMatrix(count: 4, dimension: 1, values: [0, 1, -1, 0.5])
    // Times within blocks, at their ends, and twice the same time.
    let times = [0, 0.3, 0.7, 0.7, 1.0, 1.4, flow.totalTime]
    let paths = try flow.logDensityPaths(
      count: 4, seed: 5, times: times, options: Self.options, backend: backend, context: known)
    #expect(paths.times == times && paths.states.count == 7 && paths.logDensities.allSatisfy { $0.count == 4 })
    #expect(paths.states[2] == paths.states[3] && paths.logDensities[2] == paths.logDensities[3])
    let plain = try flow.paths(
      count: 4, seed: 5, times: times, options: Self.options, backend: backend, context: known)
    let end = try flow.logDensities(of: paths.states[6], options: Self.options, backend: backend, context: known)
    let base = flow.base.samples(count: 4, dimension: 2, seed: 5)
    #expect(paths.states[0].values == flow.transform.inverse(base.values))
    for sample in 0..<4 {
      // Some tens of steps forward and some backward, each of which errs by the tolerance, stretched a little.
      #expect(abs(paths.logDensities[6][sample] - end.values[sample]) < 300 * Self.tolerance)
      // The scales 0.5 and 4 have the product 2.
      let start = flow.base.logDensity(base.values[2 * sample..<2 * sample + 2]) - 0.6931471805599453
      #expect(abs(paths.logDensities[0][sample] - start) < 1e-12)
      for time in 0..<7 {
        for column in 0..<2 {
          #expect(
            abs(plain[time][sample][2 * sample + column] - paths.states[time][sample][2 * sample + column])
              < 4 * 300 * Self.tolerance)
        }
      }
    }
    // The log-density along the path is not a straight line between both ends: every block contributes.
    #expect(Set(paths.logDensities.map { $0[1] }).count == 6)
  }

  /// At the end of block k, the density is that of a flow of the first k blocks.
  @Test func everyBlocksEndIsAFlowOfItsOwn() throws {
    let flow = Self.flow(3)
    let paths = try flow.logDensityPaths(count: 3, seed: 5, times: [0.7, 1.4], options: Self.options)
    let sizes = flow.programs.map(\.parameterCount)
    for blocks in 1...2 {
      let first = StackedFlow(
        programs: Array(flow.programs.prefix(blocks)),
        parameters: Array(flow.parameters.prefix(sizes.prefix(blocks).reduce(0, +))), endTime: flow.endTime,
        transform: flow.transform, base: flow.base)
      let expected = try first.logDensities(of: paths.states[blocks - 1], options: Self.options).values
      for sample in 0..<3 {
        #expect(abs(paths.logDensities[blocks - 1][sample] - expected[sample]) < 300 * Self.tolerance)
      }
    }
  }
}
