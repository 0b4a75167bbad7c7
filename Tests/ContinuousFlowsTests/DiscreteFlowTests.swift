import Foundation
import Testing

@testable import ContinuousFlows

/// Properties of every discrete flow: derivatives, determinants, inverses, and independence of samples.
@Suite struct DiscreteFlowTests {
  private static let dimensions = [1, 2, 3, 5]

  private func loss(
    _ map: any InvertibleMap<Double>, _ states: [Double], _ parameters: [Double], base: BaseDistribution, dimension: Int
  ) throws -> Double {
    var sum = 0.0
    let image = try map.image(of: states, parameters: parameters)
    _ = base.negativeLogLikelihood(of: image, dimension: dimension, scale: 0.5, sum: &sum)
    return sum
  }

  /// Central differences with h = 1e-5 err by h² times the third derivative and by 1e-16 / h of rounding: 1e-10 for
  /// losses and derivatives near 1. The bound is a thousand times that.
  private static let differenceTolerance = 1e-7

  @Test(arguments: dimensions, Backend.allCases)
  func gradientsAreThoseOfDifferences(dimension: Int, backend: Backend) throws {
    for flow in DiscreteFixture.all(dimension: dimension) {
      let bases: [BaseDistribution] = dimension == 2 ? [.standardNormal, DiscreteFixture.mixture] : [.standardNormal]
      for base in bases {
        let map = try flow.map(threads: nil, backend: backend, scalar: Double.self)
        let parameters = flow.parameters.map { Double($0) }
        let states: [Double] = DiscreteFixture.states(count: 3, dimension: dimension)
        let gradient = try map.gradient(at: states, parameters: parameters) { image in
          var sum = 0.0
          return base.negativeLogLikelihood(of: image, dimension: dimension, scale: 0.5, sum: &sum)
        }
        func check(_ name: String, _ values: [Double], _ derivatives: [Double], _ loss: ([Double]) throws -> Double)
          throws
        {
          #expect(derivatives.contains { $0 != 0 })
          for index in stride(from: 0, to: values.count, by: max(1, values.count / 60)) {
            let h = 1e-5
            var (less, more) = (values, values)
            less[index] -= h
            more[index] += h
            let difference = (try loss(more) - loss(less)) / (2 * h)
            #expect(
              abs(derivatives[index] - difference) < Self.differenceTolerance * max(1, abs(difference)),
              "\(type(of: flow)), D = \(dimension), \(backend), \(base.kind), \(name) \(index): \(derivatives[index]), differences \(difference)"
            )
          }
        }
        try check("parameter", parameters, gradient.parameters) {
          try self.loss(map, states, $0, base: base, dimension: dimension)
        }
        try check("state", states, gradient.states) {
          try self.loss(map, $0, parameters, base: base, dimension: dimension)
        }
      }
    }
  }

  /// log |det|, by LAPACK, of the Jacobian from central differences. Its entries err by 1e-10.
  @Test(arguments: dimensions) func determinantsAreThoseOfTheJacobian(dimension: Int) throws {
    for flow in DiscreteFixture.all(dimension: dimension) {
      let map = try flow.map(threads: nil, backend: .c, scalar: Double.self)
      let parameters = flow.parameters.map { Double($0) }
      let state: [Double] = DiscreteFixture.states(count: 1, dimension: dimension)
      let h = 1e-5
      var jacobian = [Double](repeating: 0, count: dimension * dimension)
      for column in 0..<dimension {
        var (less, more) = (state, state)
        less[column] -= h
        more[column] += h
        let (low, high) = (
          try map.image(of: less, parameters: parameters).states, try map.image(of: more, parameters: parameters).states
        )
        for row in 0..<dimension { jacobian[row * dimension + column] = (high[row] - low[row]) / (2 * h) }
      }
      let expected = try LUFactors(of: jacobian, order: dimension).logAbsoluteDeterminant
      let found = try map.image(of: state, parameters: parameters).logDeterminants[0]
      #expect(abs(found - expected) < 1e-8, "\(type(of: flow)), D = \(dimension): \(found), Jacobian \(expected)")
      #expect(abs(expected) > 1e-3)
    }
  }

  /// Maps forward and back. Each layer loses a few ulp of numbers, which the flows keep below about a hundred.
  @Test(arguments: dimensions) func inversesAreExactButForRounding(dimension: Int) throws {
    func worst<Scalar: FlowScalar>(_ flow: any DiscreteFlow, _: Scalar.Type) throws -> Double {
      let map = try flow.map(threads: nil, backend: .c, scalar: Scalar.self)
      let parameters = flow.parameters.map { Scalar($0) }
      let states: [Scalar] = DiscreteFixture.states(count: 50, dimension: dimension)
      let back = try map.preimage(of: map.image(of: states, parameters: parameters).states, parameters: parameters)
      return zip(states, back).reduce(0) { max($0, abs(Double($1.0 - $1.1))) }
    }
    for flow in DiscreteFixture.all(dimension: dimension) {
      let (single, double) = (try worst(flow, Float.self), try worst(flow, Double.self))
      #expect(single < 1e3 * Double(Float.ulpOfOne), "\(type(of: flow)), D = \(dimension): \(single)")
      #expect(double < 1e3 * Double.ulpOfOne, "\(type(of: flow)), D = \(dimension): \(double)")
    }
  }

  @Test(arguments: Backend.allCases) func samplesAreTheirOwn(backend: Backend) throws {
    for flow in DiscreteFixture.all(dimension: 3) {
      let whole = SampleMatrix(count: 67, dimension: 3, values: DiscreteFixture.states(count: 67, dimension: 3))
      let values = try flow.logDensities(of: whole, options: SolverOptions(threads: 1), backend: backend).values
      for rows in [[0], [66], [5, 66, 31], Array((0..<67).reversed()), Array(3..<40)] {
        for threads in [1, 3] {
          let found = try flow.logDensities(
            of: whole.rows(rows), options: SolverOptions(threads: threads), backend: backend
          ).values
          #expect(found == rows.map { values[$0] }, "\(type(of: flow)), rows \(rows), \(threads) threads")
        }
      }
      let few = try flow.samples(count: 3, seed: 2, backend: backend)
      #expect(few.values == Array(try flow.samples(count: 40, seed: 2, backend: backend).values.prefix(9)))
    }
  }

  @Test func aSampleThatOverflowsSpoilsNoOther() throws {
    for flow in DiscreteFixture.all(dimension: 2) {
      let points = SampleMatrix(count: 3, dimension: 2, values: [0.5, -1, .infinity, 0, 1, 1])
      let found = try flow.logDensities(of: points)
      #expect(found.statuses == [.ok, .notFinite, .ok] && found.values[1].isNaN && found.failed == 1)
      let alone = try flow.logDensities(of: points.rows([0, 2]))
      #expect(alone.values == [found.values[0], found.values[2]])
    }
  }

  /// The midpoint rule on [−24, 24]² with cells of 0.1. For densities of widths from 0.2 to 4 the rule errs by
  /// exp(−2π²(0.2/0.1)²), the tails outside add 1e-8, and log-densities in Float 1e-6.
  @Test func densitiesIntegrateToOne() throws {
    let (side, width) = (480, 48.0)
    let cell = width / Double(side)
    var points: [Double] = []
    for row in 0..<side {
      for column in 0..<side {
        points += [(Double(column) + 0.5) * cell - width / 2, (Double(row) + 0.5) * cell - width / 2]
      }
    }
    let grid = SampleMatrix(count: side * side, dimension: 2, values: points)
    for var flow in DiscreteFixture.all(dimension: 2) {
      for base in [BaseDistribution.standardNormal, DiscreteFixture.mixture] {
        flow.base = base
        flow.transform = DataTransform(shift: [0.5, -0.25], scale: [1.25, 0.8])
        let densities = try flow.logDensities(of: grid)
        let integral = densities.values.reduce(0) { $0 + exp($1) } * cell * cell
        #expect(densities.failed == 0 && abs(integral - 1) < 1e-4, "\(type(of: flow)), \(base.kind): \(integral)")
      }
    }
  }

  @Test func masksMoveEveryColumnInEachPair() {
    for dimension in 2...7 {
      let masks = CouplingMask.pairs(dimension: dimension, depth: 5, seed: 3)
      for pair in stride(from: 0, to: 4, by: 2) {
        #expect(masks[pair + 1] == masks[pair].complement)
        #expect((masks[pair].transformed + masks[pair + 1].transformed).sorted() == Array(0..<dimension))
        #expect(masks[pair].transformed.count == (dimension + 1) / 2)
      }
      #expect(CouplingMask.pairs(dimension: dimension, depth: 5, seed: 3) == masks)
    }
    #expect(
      CouplingMask.pairs(dimension: 8, depth: 2, seed: 3) != CouplingMask.pairs(dimension: 8, depth: 2, seed: 4))
    #expect(CouplingMask("0110")?.transformed == [1, 2] && CouplingMask("0110")?.description == "0110")
    #expect(CouplingMask("11") == nil && CouplingMask("00") == nil && CouplingMask("012") == nil)
  }

  @Test func singularMatricesAreNamed() {
    let flow = LinearFlow(dimension: 2, parameters: [1, 2, 2, 4, 0, 0])
    let points = SampleMatrix(count: 1, dimension: 2, values: [0, 0])
    #expect(throws: KernelError.singular(order: 2, pivot: 2)) { try flow.logDensities(of: points) }
    #expect(throws: KernelError.singular(order: 2, pivot: 2)) { try flow.samples(count: 1, seed: 0) }
  }
}
