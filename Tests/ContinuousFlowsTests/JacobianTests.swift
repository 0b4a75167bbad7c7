import Foundation
import Testing

@testable import ContinuousFlows

/// The instantaneous change of variables compared with the discrete one: the trace's integral and log |det| of the
/// map's Jacobian.
@Suite struct JacobianTests {
  @Test func determinantsByLU() {
    #expect(abs(logAbsoluteDeterminant(of: [0, 2, -3, 0], order: 2) - log(6)) < 1e-15)
    // Rows are exchanged on the way; det = −3.
    #expect(abs(logAbsoluteDeterminant(of: [1, 2, 3, 4, 5, 6, 7, 8, 10], order: 3) - log(3)) < 1e-14)
    #expect(logAbsoluteDeterminant(of: [1, 2, 2, 4], order: 2) == -.infinity)
    #expect(logAbsoluteDeterminant(of: [.nan], order: 1).isNaN)
    // Far beyond what a product of the diagonal could hold.
    var large = [Double](repeating: 0, count: 400 * 400)
    for row in 0..<400 { large[row * 401] = -1e-3 }
    #expect(abs(logAbsoluteDeterminant(of: large, order: 400) - 400 * log(1e-3)) < 1e-9)
  }

  private static func flow(_ dimension: Int, _ net: FieldArchitecture) -> ContinuousFlow {
    // Far from the identity, so that there is something to err about.
    let program = net.program(stateDimension: dimension)
    return ContinuousFlow(
      program: program, parameters: InitialParameters.uniform(for: program, seed: 5).map { 2.5 * $0 }, endTime: 0.8,
      transform: DataTransform(
        shift: (0..<dimension).map { Float($0) / 4 }, scale: (0..<dimension).map { 1 + Float($0) / 2 }))
  }

  private static func samples(_ dimension: Int, count: Int = 3) -> SampleMatrix {
    BaseDistribution.standardNormal.samples(count: count, dimension: dimension, seed: 9)
  }

  private static let nets: [FieldArchitecture] = [
    FieldArchitecture(hidden: [12], activation: .tanh), FieldArchitecture(hidden: [10, 10], activation: .softplus),
    FieldArchitecture(
      hidden: [8, 8, 8], activation: .silu, layer: .concatsquash, isResidual: true, hasLayerNorm: true),
  ]
  private static let tolerance = 1e-8

  /// By nets, methods, traces and dimensions: to the tolerance, of which each step may leave as much, stretched a
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
      // rodas4 takes a hundred or so steps.
      #expect(jacobians.largestDifference < 1000 * Self.tolerance, "\(net): \(jacobians.largestDifference)")
      let plain = try flow.logDensities(of: samples).values
      for sample in 0..<3 {
        #expect(
          abs(jacobians.logDensities[sample] - jacobians.integratedLogDensities[sample]) < 1000 * Self.tolerance)
        // The float path at 1e-5, about ten steps.
        #expect(abs(jacobians.integratedLogDensities[sample] - plain[sample]) < 10 * 1e-5 * 10)
        #expect(abs(jacobians.integratedLogDeterminants[sample]) > 0.01)
      }
    }
  }

  /// D reverse solves compared with central differences of D pairs of solves, with the same steps for both.
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
          // h² of a third derivative of size 1 or so, and 2⁻⁵³/h.
          #expect(abs(jacobians.jacobian(of: sample)[3 * row + column] - difference) < 10 * h * h)
        }
      }
    }
  }

  /// The trace's quadrature and the determinant of the steps' map differ by the method's order of the step.
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

  /// Of a linear flow by 1,000 steps of rk4: e^{−aT} on the diagonal.
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
    // (hT)⁴ of the rates' fifth power.
    for (found, expected) in zip(jacobians.jacobian(of: 0), [a, (a - b) / 1.25, 0, b]) {
      #expect(abs(found - expected) < 1e-11)
    }
    #expect(abs(jacobians.logDeterminants[0] + 0.25 * 1.5) < 1e-11)
    #expect(abs(jacobians.integratedLogDeterminants[0] + 0.25 * 1.5) < 1e-11)
    // x is where z is 0.
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
