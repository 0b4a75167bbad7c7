import FieldPrograms
import PureSwift
import Testing

/// Dense layers compared with plain loops, and with central differences.
@Suite struct DenseNetworkTests {
  private static let activations = Activation.allCases

  private func network(_ activation: Activation) -> DenseNetwork {
    DenseNetwork(inputDimension: 5, widths: [9, 3, 4], activation: activation)
  }

  /// Computes `Wₙ a(…)` by loops, in the order of the columns.
  private func plain(_ network: DenseNetwork, _ parameters: [Double], _ input: [Double]) -> [Double] {
    var values = input
    for layout in network.layouts {
      values = (0..<layout.rows).map { row in
        var sum = parameters[layout.biasOffset + row]
        for column in 0..<layout.columns {
          sum += parameters[layout.weightOffset + row * layout.columns + column] * values[column]
        }
        switch layout.activation {
        case .identity: return sum
        case .tanh: return 1 - 2 / (1 + Angles.exponential(2 * sum))
        case .softplus: return Angles.logarithm(1 + Angles.exponential(sum))
        case .relu: return max(sum, 0)
        default: preconditionFailure("no plain form of \(layout.activation)")
        }
      }
    }
    return values
  }

  @Test(arguments: [Activation.identity, .tanh, .softplus, .relu])
  func outputsAreThePlainLoops(activation: Activation) {
    let network = network(activation)
    let parameters: [Double] = Fixtures.normals(network.parameterCount, seed: 1, scale: 0.5)
    let inputs: [Double] = Fixtures.normals(7 * 5, seed: 2)
    let outputs = DenseEvaluator(network, parameters: parameters).outputs(of: inputs)
    for sample in 0..<7 {
      let expected = plain(network, parameters, Array(inputs[sample * 5..<(sample + 1) * 5]))
      // Three layers of at most 9 products of numbers below 10. Activations err by 2 ulp; those of the loops err by as
      // much, and by 1/ε ulp near 0.
      let bound = 100 * 10 * Double.ulpOfOne
      #expect(Fixtures.error(Array(outputs[sample * 4..<(sample + 1) * 4]), expected) < bound, "sample \(sample)")
    }
  }

  @Test(arguments: activations)
  func gradientsAreCentralDifferences(activation: Activation) {
    let network = network(activation)
    let parameters: [Double] = Fixtures.normals(network.parameterCount, seed: 3, scale: 0.5)
    let inputs: [Double] = Fixtures.normals(6 * 5, seed: 4)
    let weights: [Double] = Fixtures.normals(6 * 4, seed: 5)
    func loss(_ parameters: [Double], _ inputs: [Double]) -> Double {
      let outputs = DenseEvaluator(network, parameters: parameters).outputs(of: inputs)
      return zip(outputs, weights).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let gradient = DenseEvaluator(network, parameters: parameters).gradient(at: inputs) { _ in weights }
    #expect(gradient.outputs == DenseEvaluator(network, parameters: parameters).outputs(of: inputs))
    let byParameters = Fixtures.differences(at: parameters) { loss($0, inputs) }
    #expect(Fixtures.error(gradient.parameters, byParameters) < Fixtures.differenceTolerance)
    let byInputs = Fixtures.differences(at: inputs) { loss(parameters, $0) }
    #expect(Fixtures.error(gradient.inputs, byInputs) < Fixtures.differenceTolerance)
  }

  @Test func theIdentityHasNoParameters() {
    let network = DenseNetwork.identity(dimension: 3)
    #expect(network.parameterCount == 0 && network.outputDimension == 3)
    let evaluator = DenseEvaluator<Double>(network, parameters: [])
    #expect(evaluator.outputs(of: [1, 2, 3]) == [1, 2, 3])
    let gradient = evaluator.gradient(at: [1, 2, 3]) { $0.map { 2 * $0 } }
    #expect(gradient.inputs == [2, 4, 6] && gradient.parameters.isEmpty)
  }

  @Test func aSampleIsItsOwnInAnyBatch() {
    independence(Float.self)
    independence(Double.self)
  }

  private func independence<Scalar: FlowScalar>(_: Scalar.Type) {
    let network = DenseNetwork(inputDimension: 5, widths: [17, 3], activation: .tanh)
    let evaluator = DenseEvaluator<Scalar>(
      network, parameters: Fixtures.normals(network.parameterCount, seed: 6, scale: 0.5))
    let inputs: [Scalar] = Fixtures.normals(131 * 5, seed: 7)
    let cotangents: [Scalar] = Fixtures.normals(131 * 3, seed: 8)
    let all = evaluator.gradient(at: inputs) { _ in cotangents }
    for range in [0..<1, 130..<131, 5..<68, 60..<124, 63..<128, 1..<131] {
      let some = evaluator.gradient(at: Array(inputs[range.lowerBound * 5..<range.upperBound * 5])) { _ in
        Array(cotangents[range.lowerBound * 3..<range.upperBound * 3])
      }
      let outputs = Array(all.outputs[range.lowerBound * 3..<range.upperBound * 3])
      #expect(some.outputs == outputs, "\(Scalar.self) \(range)")
      let bars = Array(all.inputs[range.lowerBound * 5..<range.upperBound * 5])
      #expect(some.inputs == bars, "\(Scalar.self) \(range)")
    }
  }

  /// A sample that is NaN does not change the outputs or cotangents of its neighbours.
  @Test func aNeighbourThatIsNoNumberDoesNotMatter() {
    let network = DenseNetwork(inputDimension: 2, widths: [4, 2], activation: .tanh)
    let evaluator = DenseEvaluator<Float>(network, parameters: Fixtures.normals(network.parameterCount, seed: 9))
    let alone = evaluator.gradient(at: [0.5, -1]) { $0 }
    let beside = evaluator.gradient(at: [.nan, 1, 0.5, -1, .infinity, 0]) { $0 }
    #expect(Array(beside.outputs[2..<4]) == alone.outputs && Array(beside.inputs[2..<4]) == alone.inputs)
    #expect(beside.outputs[0].isNaN)
  }
}
