import Foundation
import Testing

@testable import ContinuousFlows

/// Tests inverses and Jacobians of discrete flows, stacked flows and probability flows, as `InversionTests` and
/// `JacobianTests` do for continuous flows.
@Suite struct InvertibleFlowTests {
  private static let dimensions = [1, 2, 3, 7]
  /// As in `DiscreteFlowTests`, each layer loses a few ulp of numbers, which the fixture's flows keep below about a
  /// hundred. A log-determinant is a sum of some tens of such numbers.
  private static let roundings = 1e3

  // MARK: Discrete flows

  @Test(arguments: dimensions, Backend.allCases)
  func discreteFlowsMissByRounding(dimension: Int, backend: Backend) throws {
    let samples = SampleMatrix(
      count: 20, dimension: dimension, values: DiscreteFixture.states(count: 20, dimension: dimension))
    for flow in DiscreteFixture.all(dimension: dimension) {
      let name = Comment(rawValue: "\(type(of: flow)), D = \(dimension)")
      func check<Scalar: FlowScalar>(_: Scalar.Type) throws {
        let found = [
          try flow.inversionError(
            of: samples, options: SolverOptions(), backend: backend, seed: 0, identifiers: nil, context: nil,
            scalar: Scalar.self),
          try flow.inversionErrorOfSamples(
            count: 20, seed: 3, options: SolverOptions(), backend: backend, context: nil, scalar: Scalar.self),
        ]
        let bound = Self.roundings * Double(Scalar.ulpOfOne)
        for error in found {
          #expect(error.count == 20 && error.failed == 0 && error.evaluationsMean == 0, name)
          #expect(error.stateMaximum < bound && error.logDeterminantMaximum < bound, name)
          #expect(error.stateMaximum >= error.stateRootMeanSquare, name)
        }
      }
      try check(Float.self)
      try check(Double.self)
    }
  }

  /// The inverse adds up its own log-determinants, with their sign and for every layer. The sum is the negative of the
  /// image's, and not 0.
  @Test(arguments: dimensions) func inversesHaveLogDeterminants(dimension: Int) throws {
    for flow in DiscreteFixture.all(dimension: dimension) {
      let map = try flow.map(threads: nil, backend: .c, scalar: Double.self)
      let parameters = flow.parameters.map { Double($0) }
      let states: [Double] = DiscreteFixture.states(count: 5, dimension: dimension)
      let image = try map.image(of: states, parameters: parameters)
      let inverse = try map.inverse(of: image.states, parameters: parameters)
      for sample in 0..<5 {
        let (there, back) = (image.logDeterminants[sample], inverse.logDeterminants[sample])
        #expect(abs(there) > 1e-3, "\(type(of: flow)), D = \(dimension)")
        #expect(abs(there + back) < Self.roundings * Double.ulpOfOne, "\(type(of: flow)), D = \(dimension)")
      }
    }
  }

  /// The check finds a map that is not invertible in float: with an inverse of other parameters, the states do not
  /// return.
  @Test func aWrongInverseIsSeen() throws {
    let flow = DiscreteFixture.affine(dimension: 2)
    let map = try flow.map(threads: nil, backend: .c, scalar: Double.self)
    let parameters = flow.parameters.map { Double($0) }
    let states: [Double] = DiscreteFixture.states(count: 4, dimension: 2)
    let image = try map.image(of: states, parameters: parameters)
    let back = try map.inverse(of: image.states, parameters: parameters.map { 1.01 * $0 })
    let error = InversionError(
      from: states, to: back.states, logDeterminants: zip(image.logDeterminants, back.logDeterminants).map { $0 + $1 },
      arrived: [0, 1, 3], evaluations: 8)
    #expect(error.stateMaximum > 1e-3 && error.logDeterminantMaximum > 1e-4)
    #expect(error.count == 4 && error.failed == 1 && error.evaluationsMean == 2)
  }

  @Test(arguments: dimensions, Backend.allCases)
  func discreteJacobiansAreThoseOfTheMap(dimension: Int, backend: Backend) throws {
    for var flow in DiscreteFixture.all(dimension: dimension) {
      flow.transform = DataTransform(
        shift: Array(repeating: 0.25, count: dimension), scale: Array(repeating: 2, count: dimension))
      let samples = SampleMatrix(
        count: 3, dimension: dimension, values: DiscreteFixture.states(count: 3, dimension: dimension))
      let found = try flow.jacobians(
        of: samples, options: SolverOptions(), backend: backend, seed: 0, identifiers: nil, context: nil)
      let name = Comment(rawValue: "\(type(of: flow)), D = \(dimension)")
      // An LU factorisation of D rows loses a few ulp in each.
      #expect(found.largestDifference < Self.roundings * Double.ulpOfOne, name)
      let states = flow.transform.forward(samples.values).map { Double($0) }
      let map = try flow.map(threads: nil, backend: .c, scalar: Double.self)
      let differences = try Self.differences(of: states, dimension: dimension) {
        try map.image(of: $0, parameters: flow.parameters.map { Double($0) }).states
      }
      Self.compare(found.jacobians, differences, name)
      let densities = try flow.logDensities(of: samples)
      for sample in 0..<3 {
        // Rounding in Float of numbers below a hundred.
        #expect(abs(found.logDensities[sample] - densities.values[sample]) < 1e3 * Double(Float.ulpOfOne), name)
      }
    }
  }

  @Test func aSampleThatOverflowsIsCounted() throws {
    for flow in DiscreteFixture.all(dimension: 2) {
      let points = SampleMatrix(count: 3, dimension: 2, values: [0.5, -1, .infinity, 0, 1, 1])
      let error = try flow.inversionError(
        of: points, options: SolverOptions(), backend: .c, seed: 0, identifiers: nil, context: nil, scalar: Float.self)
      #expect(error.count == 3 && error.failed == 1 && error.stateMaximum.isFinite)
      let jacobians = try flow.jacobians(
        of: points, options: SolverOptions(), backend: .c, seed: 0, identifiers: nil, context: nil)
      #expect(jacobians.statuses == [.ok, .notFinite, .ok] && jacobians.largestDifference.isFinite)
      #expect(jacobians.jacobian(of: 1).allSatisfy(\.isNaN) && jacobians.jacobian(of: 2).allSatisfy(\.isFinite))
    }
  }

  // MARK: Stacked flows

  private static func stacked(_ blocks: Int) -> StackedFlow {
    var flow = StackedFlow(
      dimension: 2, blocks: blocks, architecture: FieldArchitecture(hidden: [8], activation: .tanh), endTime: 0.5,
      seed: 7, transform: DataTransform(shift: [0.5, -1], scale: [2, 0.5]))
    flow.parameters = DiscreteFixture.disturbed(flow.parameters, scale: 0.5)
    return flow
  }

  private static let samples = SampleMatrix(
    count: 6, dimension: 2, values: DiscreteFixture.states(count: 6, dimension: 2))

  private static func options(_ tolerance: Double) -> SolverOptions {
    SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance))
  }

  @Test(arguments: Backend.allCases) func oneBlockIsAContinuousFlow(backend: Backend) throws {
    let stacked = Self.stacked(1)
    let flow = ContinuousFlow(
      program: stacked.programs[0], parameters: stacked.parameters, endTime: stacked.endTime,
      transform: stacked.transform, base: stacked.base)
    let options = Self.options(1e-5)
    #expect(
      try stacked.inversionError(of: Self.samples, options: options, backend: backend, seed: 3)
        == flow.inversionError(of: Self.samples, options: options, backend: backend, seed: 3))
    #expect(
      try stacked.inversionErrorOfSamples(count: 7, seed: 3, options: options, backend: backend)
        == flow.inversionErrorOfSamples(count: 7, seed: 3, options: options, backend: backend))
    #expect(
      try stacked.jacobians(of: Self.samples, options: options, backend: backend)
        == flow.jacobians(of: Self.samples, options: options, backend: backend))
  }

  /// Some tens of steps, each of which may err by the tolerance, stretched a little. Finer steps err less.
  @Test func stackedErrorsFallWithTheTolerance() throws {
    let (flow, tolerances) = (Self.stacked(3), [1e-5, 1e-7, 1e-9])
    let errors = try tolerances.map { tolerance in
      [
        try flow.inversionError(of: Self.samples, options: Self.options(tolerance), scalar: Double.self),
        try flow.inversionErrorOfSamples(count: 6, seed: 1, options: Self.options(tolerance), scalar: Double.self),
      ]
    }
    for way in 0..<2 {
      for figure in [\InversionError.stateMaximum, \.logDeterminantMaximum] {
        let figures = errors.map { $0[way][keyPath: figure] }
        for (figure, tolerance) in zip(figures, tolerances) {
          #expect(figure > 0 && figure < 100 * tolerance, "\(way): \(figures)")
        }
        #expect(zip(figures, figures.dropFirst()).allSatisfy { $0 > $1 }, "\(way): \(figures)")
      }
      #expect(errors.allSatisfy { $0[way].failed == 0 && $0[way].evaluationsMean > 0 })
    }
    let failing = SolverOptions(control: .perSample(rtol: 1e-9, atol: 1e-9), maximumSteps: 1)
    let failed = try flow.inversionError(of: Self.samples, options: failing)
    #expect(failed.failed == 6 && failed.stateMaximum.isNaN)
  }

  /// With fixed steps the map is smooth, and the solves of a difference take the same steps.
  @Test(arguments: [2, 3]) func stackedJacobiansAreThoseOfTheMap(blocks: Int) throws {
    let flow = Self.stacked(blocks)
    let options = SolverOptions(method: "rk4", control: .fixed(steps: 8))
    let found = try flow.jacobians(of: Self.samples, options: options)
    let solver = try StackedSolver<Double>(of: flow, options: options, backend: .c)
    let states = flow.transform.forward(Self.samples.values).map { Double($0) }
    let differences = try Self.differences(of: states, dimension: 2) {
      try solver.solveToBase(.init(parameters: flow.parameters.map { Double($0) }, states: $0)).states
    }
    Self.compare(found.jacobians, differences, "\(blocks) blocks")
    // As the tolerance falls, the two changes of variables approach each other.
    let largest = try [1e-4, 1e-8].map { tolerance in
      try flow.jacobians(of: Self.samples, options: Self.options(tolerance)).largestDifference
    }
    #expect(largest[1] < largest[0] / 1e2 && largest[1] < 1000 * 1e-8, "\(largest)")
    // log p by both, for a float flow at the same tolerance: the bound covers some tens of steps and roundings.
    let densities = try flow.logDensities(of: Self.samples, options: Self.options(1e-6)).values
    let fine = try flow.jacobians(of: Self.samples, options: Self.options(1e-8))
    for sample in 0..<6 { #expect(abs(fine.logDensities[sample] - densities[sample]) < 100 * 1e-6) }
  }

  // MARK: Diffusion

  /// The probability flow connects the same data and base. With a logit transform, its samples are inside the unit
  /// interval, and it has no density outside.
  @Test func probabilityFlowsKeepTheLogit() throws {
    let logit = LogitTransform(alpha: 0.05)
    let data = SampleMatrix(count: 40, dimension: 2, values: (0..<80).map { Double($0) / 80 })
    let model = DiffusionModel(
      dimension: 2, architecture: FieldArchitecture(hidden: [8], activation: .silu), seed: 2,
      transform: .logit(logit, standardising: data))
    let drawn = try model.samples(count: 50, seed: 1)
    #expect(drawn.values.allSatisfy { (-0.06...1.06).contains($0) })
    let outside = SampleMatrix(count: 2, dimension: 2, values: [0.5, 0.5, 3, 0.5])
    let densities = try model.logDensities(of: outside)
    #expect(densities.values[0].isFinite && densities.values[1] == -.infinity)
    let error = try model.probabilityFlow.inversionError(of: data, options: Self.options(1e-6), scalar: Double.self)
    #expect(error.failed == 0 && error.stateMaximum < 1000 * 1e-6)
  }

  // MARK: Differences

  /// Central differences, `[count][D][D]`, of a map of `[count][D]`. They err by h² times a third derivative and by
  /// rounding / h.
  private static func differences(
    of states: [Double], dimension: Int, map: ([Double]) throws -> [Double]
  ) rethrows -> [Double] {
    let h = 1e-5
    var jacobians = [Double](repeating: 0, count: states.count * dimension)
    for column in 0..<dimension {
      func moved(_ step: Double) throws -> [Double] {
        try map(states.indices.map { states[$0] + ($0 % dimension == column ? step : 0) })
      }
      let (low, high) = (try moved(-h), try moved(h))
      for index in states.indices { jacobians[index * dimension + column] = (high[index] - low[index]) / (2 * h) }
    }
    return jacobians
  }

  /// 1e-10 is the curvature's part, for nets whose derivatives stay below a hundred; rounding adds 1e-16 · 100 / 1e-5.
  private static func compare(_ jacobians: [Double], _ differences: [Double], _ name: Comment) {
    #expect(jacobians.count == differences.count, name)
    for (found, expected) in zip(jacobians, differences) { #expect(abs(found - expected) < 1e-8, name) }
  }
}
