import Foundation
import NeuralODE
import Testing

@Suite struct NeuralODETests {
  /// `dx/dt = A x`, where A makes a quarter turn in a unit of time.
  private func rotation(_ backend: Backend) -> NeuralODE {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    let rate = Float(Double.pi / 2)
    return NeuralODE(
      program: program, parameters: [0, -rate, rate, 0, 0, 0],
      options: SolverOptions(control: .perSample(rtol: 1e-6, atol: 1e-6), trace: .none), backend: backend)
  }

  @Test(arguments: Backend.allCases)
  func aQuarterTurn(backend: Backend) throws {
    let arrived = try rotation(backend)(StateMatrix(count: 1, dimension: 2, values: [1, 0]), from: 0, to: 1)
    #expect(abs(arrived.values[0]) < 1e-5 && abs(arrived.values[1] - 1) < 1e-5)
  }

  @Test(arguments: Backend.allCases)
  func cotangentsTurnBack(backend: Backend) throws {
    let start = StateMatrix(count: 1, dimension: 2, values: [1, 0])
    let gradient = try rotation(backend).gradient(at: start, from: 0, to: 1) { arrived in
      StateMatrix(count: arrived.count, dimension: 2, values: [0, 1])
    }
    // The loss is the second component of x(1), which is the first component of x(0).
    #expect(abs(gradient.states[0] - 1) < 1e-5 && abs(gradient.states[1]) < 1e-5)
  }

  @Test func initialParametersKeepWithinTheirBound() {
    let program = FieldProgram.multilayerPerceptron(stateDimension: 3, hidden: [16, 8], activation: .tanh)
    let parameters = InitialParameters.uniform(for: program, seed: 1, lastLayerScale: 0.5)
    let layouts = program.linearLayouts
    for (layer, layout) in layouts.enumerated() {
      let bound = 1 / Float(layout.columns).squareRoot() * (layer == layouts.count - 1 ? 0.5 : 1)
      let numbers = parameters[layout.weightOffset..<layout.biasOffset + layout.rows]
      #expect(numbers.allSatisfy { abs($0) <= bound })
      #expect(Set(numbers).count == numbers.count)
    }
    #expect(InitialParameters.uniform(for: program, seed: 2, lastLayerScale: 0.5) != parameters)
    // A layer's numbers do not depend on the widths or the number of the other layers.
    let wider = FieldProgram.multilayerPerceptron(stateDimension: 3, hidden: [16, 9], activation: .tanh)
    #expect(InitialParameters.uniform(for: wider, seed: 1).prefix(80) == parameters.prefix(80))
  }

  @Test func choleskyFactorsMultiplyToTheMatrix() throws {
    let matrix: [Double] = [4, 2, -2, 2, 10, 2, -2, 2, 6]
    #expect(try choleskyLowerFactor(of: matrix, order: 3) == [2, 0, 0, 1, 3, 0, -1, 1, 2])
    #expect(throws: KernelError.notPositiveDefinite(order: 2)) {
      try choleskyLowerFactor(of: [1, 2, 2, 1], order: 2)
    }
  }
}
