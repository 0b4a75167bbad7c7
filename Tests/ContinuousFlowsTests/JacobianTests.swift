import Foundation
import Testing

@testable import ContinuousFlows

/// Compares the instantaneous change of variables with the discrete one: the integral of the trace with log |det| of
/// the map's Jacobian.
@Suite struct JacobianTests {
  @Test func determinantsByLU() {
    #expect(abs(logAbsoluteDeterminant(of: [0, 2, -3, 0], order: 2) - log(6)) < 1e-15)
    // The factorisation exchanges rows; det = −3.
    #expect(abs(logAbsoluteDeterminant(of: [1, 2, 3, 4, 5, 6, 7, 8, 10], order: 3) - log(3)) < 1e-14)
    #expect(logAbsoluteDeterminant(of: [1, 2, 2, 4], order: 2) == -.infinity)
    #expect(logAbsoluteDeterminant(of: [.nan], order: 1).isNaN)
    // The product of the diagonal would overflow.
    var large = [Double](repeating: 0, count: 400 * 400)
    for row in 0..<400 { large[row * 401] = -1e-3 }
    #expect(abs(logAbsoluteDeterminant(of: large, order: 400) - 400 * log(1e-3)) < 1e-9)
  }

  private static func flow(_ dimension: Int, _ net: FieldArchitecture) -> ContinuousFlow {
    // The map is far from the identity, so that an error is visible.
    let program = net.program(stateDimension: dimension)
    return ContinuousFlow(
      program: program, parameters: InitialParameters.uniform(for: program, seed: 5).map { 2.5 * $0 }, endTime: 0.8,
      transform: DataTransform(
        shift: (0..<dimension).map { Double($0) / 4 }, scale: (0..<dimension).map { 1 + Double($0) / 2 }))
  }

  private static func samples(_ dimension: Int, count: Int = 3) -> SampleMatrix {
    SampleMatrix(BaseDistribution.standardNormal.samples(count: count, dimension: dimension, seed: 9))
  }

  private static let nets: [FieldArchitecture] = [
    FieldArchitecture(hidden: [12], activation: .tanh), FieldArchitecture(hidden: [10, 10], activation: .softplus),
    FieldArchitecture(
      hidden: [8, 8, 8], activation: .silu, layer: .concatsquash, isResidual: true, hasLayerNorm: true),
  ]
  private static let tolerance = 1e-8

  /// Compares them for several nets, methods, traces and dimensions. Each step may err by the tolerance, stretched a
  /// little.
  @Test(arguments: [2, 3, 8], ["dopri5", "tsit5", "vern7", "rodas4"])
  func bothChangesOfVariablesAgree(dimension: Int, method: String) throws {
    for net in Self.nets {
      let flow = Self.flow(dimension, net)
      let options = SolverOptions(
        method: method, control: .perSample(rtol: Self.tolerance, atol: Self.tolerance), trace: .exactTangents)
      let samples = Self.samples(dimension)
      let jacobians = try flow.jacobians(of: samples, options: options)
      #expect(jacobians.statuses.allSatisfy { $0 == .ok })
      // rodas4 takes about a hundred steps.
      #expect(jacobians.largestDifference < 1000 * Self.tolerance, "\(net): \(jacobians.largestDifference)")
      let plain = try flow.logDensities(of: samples).values
      for sample in 0..<3 {
        #expect(
          abs(jacobians.logDensities[sample] - jacobians.integratedLogDensities[sample]) < 1000 * Self.tolerance)
        // The float solve at 1e-5 takes about ten steps.
        #expect(abs(jacobians.integratedLogDensities[sample] - plain[sample]) < 10 * 1e-5 * 10)
        #expect(abs(jacobians.integratedLogDeterminants[sample]) > 0.01)
      }
    }
  }

  /// Compares D backward passes with central differences of D pairs of solves, with the same steps in both.
  @Test(arguments: Backend.allCases) func rowsAreThoseOfDifferences(backend: Backend) throws {
    let flow = Self.flow(3, Self.nets[1])
    let options = SolverOptions(method: "rk4", control: .fixed(steps: 6))
    let samples = Self.samples(3, count: 2)
    let jacobians = try flow.jacobians(of: samples, options: options, backend: backend)
    let solver = try makeSolver(program: flow.program, options: options, backend: backend, scalar: Double.self)
    let states = flow.transform.forward(samples.values).map { Double($0) }
    let h = 1e-4
    func arrived(_ column: Int, _ sign: Double) throws -> [Double] {
      var moved = states
      for sample in 0..<2 { moved[3 * sample + column] += sign * h }
      return try solver.solve(
        SolveProblem(
          parameters: flow.parameters.map { Double($0) }, states: moved, from: flow.endTime, to: 0)
      ).states
    }
    for column in 0..<3 {
      let (above, below) = (try arrived(column, 1), try arrived(column, -1))
      for sample in 0..<2 {
        for row in 0..<3 {
          let difference = (above[3 * sample + row] - below[3 * sample + row]) / (2 * h)
          // The error is h² times a third derivative of size about 1, plus 2⁻⁵³/h.
          #expect(abs(jacobians.jacobian(of: sample)[3 * row + column] - difference) < 10 * h * h)
        }
      }
    }
  }

  /// The quadrature of the trace differs from the determinant of the steps' map by the step size to the power of the
  /// order.
  @Test(arguments: [("midpoint", 2.0, 16), ("bosh3", 3, 8), ("rk4", 4, 8), ("dopri5", 5, 8)], [2, 3, 8])
  func differencesFallAsTheOrder(method: (name: String, order: Double, steps: Int), dimension: Int) throws {
    let flow = Self.flow(dimension, Self.nets[1])
    let samples = Self.samples(dimension, count: 8)
    let errors = try [1, 2, 4].map { factor in
      let options = SolverOptions(method: method.name, control: .fixed(steps: factor * method.steps))
      let jacobians = try flow.jacobians(of: samples, options: options)
      let squares = (0..<8).reduce(0.0) {
        let difference = jacobians.logDeterminants[$1] - jacobians.integratedLogDeterminants[$1]
        return $0 + difference * difference
      }
      return (squares / 8).squareRoot()
    }
    let slope = log2(errors[1] / errors[2])
    #expect(abs(slope - method.order) < 0.2, "\(method.name), D = \(dimension): \(errors), slope \(slope)")
    #expect(errors[0] > errors[1])
  }

  /// For a linear flow with 1,000 steps of rk4, the diagonal is e^{−aT}.
  @Test func linearFlowsHaveTheirExponential() throws {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    let flow = ContinuousFlow(
      program: program, parameters: [0.75, 1, 0, -0.5, 0, 0], endTime: 1.5,
      transform: DataTransform(shift: [1, -2], scale: [0.5, 4]))
    let samples = SampleMatrix(count: 1, dimension: 2, values: [1, -2])
    let options = SolverOptions(method: "rk4", control: .fixed(steps: 1000))
    let jacobians = try flow.jacobians(of: samples, options: options)
    let (a, b) = (exp(-0.75 * 1.5), exp(0.5 * 1.5))
    // The error is (hT)⁴ times the rates' fifth power.
    for (found, expected) in zip(jacobians.jacobian(of: 0), [a, (a - b) / 1.25, 0, b]) {
      #expect(abs(found - expected) < 1e-11)
    }
    #expect(abs(jacobians.logDeterminants[0] + 0.25 * 1.5) < 1e-11)
    #expect(abs(jacobians.integratedLogDeterminants[0] + 0.25 * 1.5) < 1e-11)
    // x is the sample that maps to z = 0.
    let expected = -log(2 * Double.pi) - 0.25 * 1.5 - log(2)
    #expect(abs(jacobians.logDensities[0] - expected) < 1e-10)
  }

  @Test func contextAndFailures() throws {
    let architecture = FieldArchitecture(hidden: [8], activation: .tanh, contextDimension: 2)
    let flow = Self.flow(2, architecture)
    let samples = Self.samples(2)
    let context = SampleMatrix(count: 3, dimension: 2, values: [1, 0, 0, 1, 2, -1])
    let options = SolverOptions(control: .perSample(rtol: 1e-7, atol: 1e-7))
    let jacobians = try flow.jacobians(of: samples, options: options, context: context)
    #expect(jacobians.largestDifference < 1e-4)
    let zero = SampleMatrix(count: 3, dimension: 2, values: [0, 0, 0, 0, 0, 0])
    #expect(try flow.jacobians(of: samples, options: options, context: zero).jacobians != jacobians.jacobians)
    var cut = options
    cut.maximumSteps = 1
    let failed = try flow.jacobians(of: samples, options: cut, context: context)
    #expect(failed.statuses.allSatisfy { $0 != .ok } && failed.logDensities.allSatisfy(\.isNaN))
    #expect(failed.jacobians.allSatisfy(\.isNaN) && failed.largestDifference.isNaN)
  }
}
