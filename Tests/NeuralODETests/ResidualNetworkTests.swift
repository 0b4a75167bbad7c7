import NeuralODE
import Testing

/// n blocks that share their weights are n steps of Euler's method. They converge to the ordinary differential equation
/// as 1/n.
@Suite struct ResidualNetworkTests {
  private static let program = FieldProgram.multilayerPerceptron(stateDimension: 3, hidden: [8], activation: .tanh)

  private func make<Scalar: FlowScalar>(
    _ steps: Int, from startTime: Double = 0, to endTime: Double = 1, backend: Backend = .c
  ) throws -> ResidualNetwork<Scalar> {
    try ResidualNetwork(
      program: Self.program, parameters: Fixtures.normals(Self.program.parameterCount, seed: 11, scale: 0.7),
      steps: steps, from: startTime, to: endTime, backend: backend)
  }

  /// The bound covers the rounding of n steps of either: an addition and a product in each step, magnified by at most
  /// exp(L), with L about 3 here, and numbers below 4.
  private static func rounding(_ steps: Int, _ ulp: Double) -> Double { 4 * 20 * 2 * Double(steps) * ulp }

  @Test(arguments: Backend.allCases, [(0.0, 1.0), (2.0, 0.5)])
  func itIsEulersMethod(backend: Backend, times: (Double, Double)) throws {
    for steps in [1, 2, 7, 32] {
      let network: ResidualNetwork<Double> = try make(steps, from: times.0, to: times.1, backend: backend)
      let layer = try network.layer(options: ResidualNetwork<Double>.eulerOptions(steps: steps), backend: backend)
      let inputs: [Double] = Fixtures.normals(9 * 3, seed: 12)
      let cotangents: [Double] = Fixtures.normals(9 * 3, seed: 13)
      let pass = try layer.forward(inputs)
      let bound = Self.rounding(steps, .ulpOfOne)
      let error = Fixtures.error(try network(inputs), pass.states)
      #expect(error < bound, "\(backend), \(steps) steps: outputs \(error)")
      let (gradient, pullback) = (try network.gradient(at: inputs) { _ in cotangents }, try pass.backward(cotangents))
      // Gradients are sums over 9 samples in addition.
      let byParameters = Fixtures.error(gradient.parameters, pullback.parameters)
      #expect(byParameters < 9 * bound, "\(backend), \(steps) steps: parameters \(byParameters)")
      let byInputs = Fixtures.error(gradient.inputs, pullback.states)
      #expect(byInputs < bound, "\(backend), \(steps) steps: inputs \(byInputs)")
    }
  }

  @Test func gradientsAreCentralDifferences() throws {
    let inputs: [Double] = Fixtures.normals(4 * 3, seed: 14)
    let weights: [Double] = Fixtures.normals(4 * 3, seed: 15)
    var network: ResidualNetwork<Double> = try make(5)
    let gradient = try network.gradient(at: inputs) { _ in weights }
    let parameters = network.parameters
    let byParameters = try Fixtures.differences(at: parameters) { point in
      network.parameters = point
      return zip(try network(inputs), weights).reduce(0) { $0 + $1.0 * $1.1 }
    }
    #expect(Fixtures.error(gradient.parameters, byParameters) < Fixtures.differenceTolerance)
    network.parameters = parameters
    let byInputs = try Fixtures.differences(at: inputs) { point in
      zip(try network(point), weights).reduce(0) { $0 + $1.0 * $1.1 }
    }
    #expect(Fixtures.error(gradient.inputs, byInputs) < Fixtures.differenceTolerance)
  }

  /// Compares with the exact solution, by dopri8 at 1e-12. Halving h halves the distance, within 0.1 of the exponent as
  /// in the solvers' tests.
  @Test func itTendsToTheEquationAsOneOverN() throws {
    let inputs: [Double] = Fixtures.normals(16 * 3, seed: 16)
    let exact = try (make(1) as ResidualNetwork<Double>).layer(
      options: SolverOptions(method: "dopri8", control: .perSample(rtol: 1e-12, atol: 1e-12), trace: .none)
    ).forward(inputs).states
    var errors: [Double] = []
    for power in 4...10 {
      let outputs = try (make(1 << power) as ResidualNetwork<Double>)(inputs)
      errors.append(zip(outputs, exact).reduce(0) { max($0, abs($1.0 - $1.1)) })
    }
    for (coarse, fine) in zip(errors, errors.dropFirst()) {
      let slope = Angles.logarithm(coarse / fine) / Angles.logarithm(2)
      #expect(abs(slope - 1) < 0.1, "errors \(errors)")
    }
  }

  /// For `dx/dt = a x`, n blocks give (1 + a/n)ⁿ.
  @Test func aLinearBlockCompounds() throws {
    var program = FieldProgram(stateDimension: 1)
    program.append(.linear(input: .state, rows: 1, activation: .identity))
    let network = try ResidualNetwork<Double>(program: program, parameters: [0.5, 0], steps: 4)
    let expected = (0..<4).reduce(1.0) { product, _ in product * (1 + 0.5 / 4) }
    #expect(abs(try network([1])[0] - expected) <= 8 * expected.ulp)
  }

  /// Tests Float too, and that a sample that overflows does not change the others.
  @Test func aSampleIsItsOwn() throws {
    let network: ResidualNetwork<Float> = try make(6)
    let inputs: [Float] = Fixtures.normals(40 * 3, seed: 17)
    let all = try network(inputs)
    #expect(try network(Array(inputs[60..<63])) == Array(all[60..<63]))
    var spoilt = inputs
    spoilt[0] = .nan
    let outputs = try network(spoilt)
    #expect(outputs[0].isNaN && Array(outputs[3...]) == Array(all[3...]))
  }
}
