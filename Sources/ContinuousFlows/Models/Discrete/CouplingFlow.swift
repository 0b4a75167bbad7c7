/// RealNVP: a flow of affine coupling layers (Dinh, Sohl-Dickstein, Bengio 2017, arXiv 1605.08803), for data of two and
/// more columns.
///
/// A layer keeps the columns a of its mask and moves the others, b: `z_b = x_b · exp(s(x_a)) + t(x_a)`. So `log |det
/// ∂z/∂x| = Σ s`, and the inverse `x_b = (z_b − t) · exp(−s)` is exact up to rounding. One net gives ŝ and t; `s = c
/// tanh(ŝ / c)` with c = `scaleBound` keeps every factor within `exp(±c)`, so no layer overflows a finite input by more
/// than that. Near the identity s is ŝ itself. (RealNVP has a learned factor in front of its tanh. A bound that
/// training cannot raise is safer, and ten layers still stretch by up to exp(20).)
///
/// Layers run from the data to the base. Their nets are field programs and run on the same kernels as the field of a
/// continuous flow, in Float and in Double.
///
/// ```swift
/// var flow = CouplingFlow(dimension: 2, depth: 10, hidden: [100, 100], seed: 0)
/// flow.transform = .standardising(split.train.samples)
/// let objective = try ExactLikelihood(model: flow, options: options)
/// flow = try Trainer(model: flow, objective: objective, training: split.train, options: options).run().model
/// ```
public struct CouplingFlow: DiscreteFlow {
  /// One mask for each layer, the layer next to the data first.
  public let masks: [CouplingMask]
  /// Widths of every net's hidden layers.
  public let hidden: [Int]
  public let activation: Activation
  /// c, positive.
  public let scaleBound: Double
  /// `θ`, `[P]`: layer after layer, each net in the order of `FieldProgram.linearLayouts`.
  public var parameters: [Float] {
    didSet { ModelChecks.check(parameters, count: parameterCount) }
  }
  public var transform: DataTransform {
    didSet { ModelChecks.check(transform, dimension: dimension) }
  }
  public var base: BaseDistribution {
    didSet { ModelChecks.check(base, dimension: dimension) }
  }

  public static let defaultScaleBound = 2.0

  /// A flow with any masks. Shapes that do not fit are a precondition failure.
  ///
  /// - Parameter transform: nil means the identity.
  public init(
    masks: [CouplingMask], hidden: [Int], activation: Activation = .tanh,
    scaleBound: Double = defaultScaleBound, parameters: [Float], transform: DataTransform? = nil,
    base: BaseDistribution = .standardNormal
  ) {
    precondition(!masks.isEmpty, "a coupling flow needs a layer")
    let dimension = masks[0].dimension
    precondition(masks.allSatisfy { $0.dimension == dimension }, "masks of different numbers of columns")
    precondition(hidden.allSatisfy { $0 >= 1 }, "hidden layers' widths are \(hidden), must be at least 1")
    precondition(scaleBound > 0 && scaleBound.isFinite, "scaleBound is \(scaleBound), must be positive and finite")
    self.masks = masks
    self.hidden = hidden
    self.activation = activation
    self.scaleBound = scaleBound
    self.parameters = parameters
    self.transform = transform ?? .identity(dimension: dimension)
    self.base = base
    ModelChecks.check(parameters, count: parameterCount)
    ModelChecks.check(self.transform, dimension: dimension)
    ModelChecks.check(base, dimension: dimension)
  }

  /// An untrained flow, close to the identity.
  ///
  /// - Parameters:
  ///   - depth: the number of layers.
  ///   - seed: the seed of the masks and of the initial parameters.
  public init(
    dimension: Int, depth: Int = 10, hidden: [Int] = [100, 100], activation: Activation = .tanh,
    scaleBound: Double = defaultScaleBound, seed: UInt64 = 0, transform: DataTransform? = nil,
    base: BaseDistribution = .standardNormal
  ) {
    precondition(depth >= 1, "a coupling flow of \(depth) layers, must be at least 1")
    let masks = CouplingMask.pairs(dimension: dimension, depth: depth, seed: seed)
    let nets = masks.map { CouplingNet(mask: $0, hidden: hidden, activation: activation, scaleBound: scaleBound) }
    self.init(
      masks: masks, hidden: hidden, activation: activation, scaleBound: scaleBound,
      parameters: nets.enumerated().flatMap { layer, net in
        net.initialParameters(seed: seed.forPart(layer), lastLayerScale: Self.initialLastLayerScale)
      }, transform: transform, base: base)
  }

  /// As for a continuous flow: the flow starts near the identity, and the last layer learns from the first step on.
  private static let initialLastLayerScale: Float = 0.1

  public var dimension: Int { masks[0].dimension }

  var nets: [CouplingNet] {
    masks.map { CouplingNet(mask: $0, hidden: hidden, activation: activation, scaleBound: scaleBound) }
  }

  /// P.
  var parameterCount: Int { nets.reduce(0) { $0 + $1.program.parameterCount } }

  public func map<Scalar: FlowScalar>(
    threads: Int?, backend: Backend, scalar: Scalar.Type
  ) throws -> any InvertibleMap<Scalar> {
    try CouplingMap<Scalar>(nets: nets, threads: threads, backend: backend)
  }
}

extension UInt64 {
  /// The seed of part number `part` of a model: this seed for part 0. For the others Weyl's sequence of the golden
  /// ratio, as in splitmix64, so that parts of neighbouring seeds differ.
  func forPart(_ part: Int) -> UInt64 { self &+ 0x9E37_79B9_7F4A_7C15 &* UInt64(part) }
}
