@testable import ContinuousFlows

/// Discrete flows far from the identity, and helpers to inspect them.
enum DiscreteFixture {
  /// The parameters of a flow, with normal noise of `scale` added.
  static func disturbed(_ parameters: [Float], scale: Double, seed: UInt64 = 21) -> [Float] {
    let source = RandomSource(seed: seed, stream: .data)
    return parameters.enumerated().map {
      $1 + Float(scale * source.normal(sample: UInt64($0 / 4), dimension: $0 % 4))
    }
  }

  static func coupling(dimension: Int, depth: Int = 4, hidden: [Int] = [8, 6]) -> CouplingFlow {
    var flow = CouplingFlow(dimension: dimension, depth: depth, hidden: hidden, seed: 5)
    flow.parameters = disturbed(flow.parameters, scale: 0.3)
    return flow
  }

  static func affine(dimension: Int) -> AffineFlow {
    var flow = AffineFlow(dimension: dimension, seed: 5)
    flow.parameters = disturbed(flow.parameters, scale: 0.4)
    return flow
  }

  static func linear(dimension: Int) -> LinearFlow {
    var flow = LinearFlow(dimension: dimension)
    flow.parameters = disturbed(flow.parameters, scale: 0.4)
    return flow
  }

  static func all(dimension: Int) -> [any DiscreteFlow] {
    var flows: [any DiscreteFlow] = [affine(dimension: dimension), linear(dimension: dimension)]
    if dimension >= 2 {
      flows.append(coupling(dimension: dimension))
      flows.append(lopsided(dimension: dimension))
    }
    return flows
  }

  /// One column conditions all others, and then all others condition one column.
  static func lopsided(dimension: Int) -> CouplingFlow {
    let mask = CouplingMask((0..<dimension).map { $0 > 0 })
    let masks = [mask, mask.complement, mask]
    let nets = masks.map {
      CouplingNet(mask: $0, hidden: [5], activation: .silu, scaleBound: 0.8)
    }
    let count = nets.reduce(0) { $0 + $1.program.parameterCount }
    return CouplingFlow(
      masks: masks, hidden: [5], activation: .silu, scaleBound: 0.8,
      parameters: disturbed(Array(repeating: 0, count: count), scale: 0.5))
  }

  static func states<Scalar: FlowScalar>(count: Int, dimension: Int, seed: UInt64 = 8) -> [Scalar] {
    let source = RandomSource(seed: seed, stream: .data, step: 1)
    return (0..<count * dimension).map {
      Scalar(source.normal(sample: UInt64($0 / dimension), dimension: $0 % dimension))
    }
  }

  static let mixture = BaseDistribution.mixture(
    weights: [0.25, 0.75], means: StateMatrix(count: 2, dimension: 2, values: [1, 0, -0.5, 0.3]),
    deviations: StateMatrix(count: 2, dimension: 2, values: [0.6, 1, 0.9, 1.4]))
}
