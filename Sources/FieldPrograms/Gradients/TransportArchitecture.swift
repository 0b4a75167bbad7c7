/// OT-Flow's vector field, the negative gradient of a learned potential: `dx/dt = −∇ₓΦ(x, t) / α₀` (Onken, Wu Fung, Li,
/// Ruthotto 2021, arXiv 2006.00104).
///
/// `Φ(s) = wᵀ N(s) + ½ |A s + a|² + bᵀ s + c` with s = (x, t). N is a residual network of `width` rows with activation
/// σ and step h = 1 / (layers − 1):
///
///     u₀ = σ(K₀ s + k₀),   uᵢ = uᵢ₋₁ + h σ(Kᵢ uᵢ₋₁ + kᵢ),   N = u of the last layer,
///
/// A has min(`rank`, D) rows. (The paper has ½ sᵀAᵀA s; the linear part of a is another bᵀs.)
///
/// Optimal transport moves each sample along a straight line at constant speed. Its potential satisfies the
/// Hamilton-Jacobi-Bellman equation `−∂ₜΦ + |∇ₓΦ|² / (2 α₀) = 0`, in either direction of time. `costProgram` measures
/// how far a path is from both.
///
/// The trace is exact, by D tangents of the gradient. Each tangent takes two `width × width` products for every layer
/// after the first. An evaluation costs O(width² D) like the paper's closed form, with about twice its constant.
public struct TransportArchitecture: Sendable, Equatable {
  /// m, the number of rows of each layer of N.
  public var width: Int
  /// The number of layers of N, including the first one, which reads s; at least 2.
  public var layers: Int
  /// The largest number of rows of A.
  public var rank: Int
  /// The paper uses logcosh, |z| + log(1 + e^(−2|z|)), whose derivative is tanh.
  public var activation: Activation
  /// α₀, above 0.
  public var transportScale: Double

  /// The largest number of rows of A in the paper.
  public static let defaultRank = 10

  public init(
    width: Int = 32, layers: Int = 2, rank: Int = defaultRank, activation: Activation = .logcosh,
    transportScale: Double = 1
  ) {
    precondition(
      width >= 1 && layers >= 2 && rank >= 1 && transportScale > 0 && transportScale.isFinite,
      "a potential has width \(width), \(layers) layers, rank \(rank), α₀ \(transportScale): width and rank must be at "
        + "least 1, layers at least 2, α₀ above 0")
    self.width = width
    self.layers = layers
    self.rank = rank
    self.activation = activation
    self.transportScale = transportScale
  }

  /// The field program for a state of `stateDimension` rows.
  ///
  /// - Throws: `DerivativeError` if the activation has no smooth derivative.
  public func program(stateDimension: Int) throws(DerivativeError) -> FieldProgram {
    var program = FieldProgram(stateDimension: stateDimension)
    let (gradient, _) = try appendGradient(at: .state, to: &program)
    appendVelocity(gradient, dimension: stateDimension, to: &program)
    return program
  }

  /// A field program for D + 2 rows with the same parameters as `program`.
  ///
  /// The first D rows, x, move as in `program`. The other two rows integrate OT-Flow's costs, `½ |dx/dt|²` and
  /// `|−∂ₜΦ + α₀ ½ |dx/dt|²|`, over t with its sign. The trace equals that of `program`.
  ///
  /// - Throws: `DerivativeError` if the activation has no smooth derivative.
  public func costProgram(stateDimension: Int) throws(DerivativeError) -> FieldProgram {
    var program = FieldProgram(stateDimension: stateDimension + Self.costRows)
    let x = program.append(.slice(input: .state, first: 0, rows: stateDimension))
    let (gradient, _) = try appendGradient(at: x, to: &program)
    let velocity = appendVelocity(gradient, dimension: stateDimension, to: &program)
    let square = program.append(.sum(input: program.append(.multiply(velocity, velocity))))
    let transport = program.append(.scale(input: square, by: 0.5))
    let byTime = program.append(.slice(input: gradient, first: stateDimension, rows: 1))
    let residual = program.append(
      .add(
        program.append(.scale(input: byTime, by: -1)),
        program.append(.scale(input: transport, by: transportScale))))
    let costs = program.append(.concatenate(transport, appendMagnitude(of: residual, to: &program)))
    program.append(.concatenate(velocity, costs))
    return program
  }

  /// The number of rows that `costProgram` has in addition to x.
  public static let costRows = 2

  /// A program with the same parameters as `program` whose every row is Φ. Evaluate it to get potentials.
  public func potentialProgram(stateDimension: Int) -> FieldProgram {
    var program = FieldProgram(stateDimension: stateDimension)
    let (_, potential) = appendPotential(at: .state, to: &program)
    let ones = program.append(.scale(input: .state, by: 0, plus: 1))
    program.append(.multiply(ones, potential))
    return program
  }

  /// The indices in `program.linearLayouts` of the last layers of the three terms of Φ: those with w, A and b.
  public var lastLayers: (net: Int, quadratic: Int, linear: Int) { (layers, layers + 1, layers + 2) }

  // MARK: Parts

  /// Appends s = (x, t) and Φ(s).
  private func appendPotential(
    at x: FieldProgram.Block, to program: inout FieldProgram
  ) -> (s: FieldProgram.Block, potential: FieldProgram.Block) {
    let dimension = program.blockRows[x.index]
    let s = program.append(.concatenate(x, program.append(.time)))
    let step = 1 / Double(layers - 1)
    var u = program.appendSmoothLayer(input: s, rows: width, activation: activation)
    for _ in 1..<layers {
      let change = program.appendSmoothLayer(input: u, rows: width, activation: activation)
      u = program.append(.add(u, program.append(.scale(input: change, by: step))))
    }
    let net = program.append(.linear(input: u, rows: 1, activation: .identity))
    let low = program.append(.linear(input: s, rows: min(rank, dimension), activation: .identity))
    let square = program.append(.sum(input: program.append(.multiply(low, low))))
    let quadratic = program.append(.scale(input: square, by: 0.5))
    let linear = program.append(.linear(input: s, rows: 1, activation: .identity))
    return (s, program.append(.add(program.append(.add(net, quadratic)), linear)))
  }

  /// Appends `∇ₛΦ` (D + 1 rows, the last for the time) and Φ.
  private func appendGradient(
    at x: FieldProgram.Block, to program: inout FieldProgram
  ) throws(DerivativeError) -> (gradient: FieldProgram.Block, potential: FieldProgram.Block) {
    let (s, potential) = appendPotential(at: x, to: &program)
    return (try program.appendGradient(of: potential, by: [s])[0], potential)
  }

  @discardableResult
  private func appendVelocity(
    _ gradient: FieldProgram.Block, dimension: Int, to program: inout FieldProgram
  ) -> FieldProgram.Block {
    let byState = program.append(.slice(input: gradient, first: 0, rows: dimension))
    return program.append(.scale(input: byState, by: -1 / transportScale))
  }

  /// Appends `|z|` as max(z, 0) + max(−z, 0).
  private func appendMagnitude(of z: FieldProgram.Block, to program: inout FieldProgram) -> FieldProgram.Block {
    let positive = program.append(.activation(input: z, .relu))
    let negative = program.append(.activation(input: program.append(.scale(input: z, by: -1)), .relu))
    return program.append(.add(positive, negative))
  }
}
