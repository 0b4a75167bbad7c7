/// An affine flow with a dense matrix: `z = W x + b`. LAPACK gives the log-determinant and its gradient `∂ log |det W|
/// / ∂W = W⁻ᵀ` (the layer: Kingma, Dhariwal 2018, arXiv 1807.03039; the derivative: Petersen, Pedersen 2012, The Matrix
/// Cookbook, section 2.1).
///
/// Each call factors W in O(D³), a cost that triangular factors (`AffineFlow`) and a trace (`ContinuousFlow`) avoid. A
/// singular W has no density; calls then throw `KernelError.singular`.
public struct LinearFlow: DiscreteFlow {
  public let dimension: Int
  /// `θ`, `[D² + D]`: W, row by row, then b; the order of PyTorch's `nn.Linear`.
  public var parameters: [Float] {
    didSet { ModelChecks.check(parameters, count: dimension * (dimension + 1)) }
  }
  public var transform: DataTransform {
    didSet { ModelChecks.check(transform, dimension: dimension) }
  }
  public var base: BaseDistribution {
    didSet { ModelChecks.check(base, dimension: dimension) }
  }

  /// Shapes that do not fit are a precondition failure.
  ///
  /// - Parameters:
  ///   - parameters: nil means those of the identity.
  ///   - transform: nil means the identity.
  public init(
    dimension: Int, parameters: [Float]? = nil, transform: DataTransform? = nil,
    base: BaseDistribution = .standardNormal
  ) {
    precondition(dimension >= 1, "a linear flow of \(dimension) dimensions, must be at least 1")
    var identity = [Float](repeating: 0, count: dimension * (dimension + 1))
    for row in 0..<dimension { identity[row * (dimension + 1)] = 1 }
    self.dimension = dimension
    self.parameters = parameters ?? identity
    self.transform = transform ?? .identity(dimension: dimension)
    self.base = base
    ModelChecks.check(self.parameters, count: dimension * (dimension + 1))
    ModelChecks.check(self.transform, dimension: dimension)
    ModelChecks.check(base, dimension: dimension)
  }

  public func map<Scalar: FlowScalar>(
    threads: Int?, backend: Backend, scalar: Scalar.Type
  ) throws -> any InvertibleMap<Scalar> {
    try LinearMap<Scalar>(dimension: dimension, threads: threads, backend: backend)
  }
}

/// `z = W x + b` for many samples: one linear layer of a field program, run by a backend. LAPACK computes W's
/// determinant and inverse in Double.
struct LinearMap<Scalar: FlowScalar>: InvertibleMap {
  private let dimension: Int
  private let solver: any FieldSolver<Scalar>

  init(dimension: Int, threads: Int?, backend: Backend) throws {
    self.dimension = dimension
    var program = FieldProgram(stateDimension: dimension)
    program.append(.linear(input: .state, rows: dimension, activation: .identity))
    solver = try makeSolver(
      program: program,
      options: .evaluation(threads: threads),
      backend: backend)
  }

  func image(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar> {
    try image(of: states, parameters, factors(of: parameters))
  }

  func inverse(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar> {
    let factors = try factors(of: parameters)
    let bias = parameters[(dimension * dimension)...].map { Double($0) }
    let count = states.count / dimension
    return MapImage(
      states: (0..<count).flatMap { sample in
        factors.solve((0..<dimension).map { Double(states[sample * dimension + $0]) - bias[$0] }).map { Scalar($0) }
      }, logDeterminants: Array(repeating: -factors.logAbsoluteDeterminant, count: count))
  }

  func gradient(
    at states: [Scalar], parameters: [Scalar], cotangents: (MapImage<Scalar>) -> MapCotangents<Scalar>
  ) throws -> MapGradient<Scalar> {
    let factors = try factors(of: parameters)
    let image = try image(of: states, parameters, factors)
    let imageCotangents = cotangents(image)
    var gradient = try solver.fieldGradient(
      of: .cotangents(velocities: imageCotangents.states),
      at: SolveProblem(parameters: parameters, states: states, from: 0, to: 1))
    let determinantBar = imageCotangents.logDeterminants.reduce(0, +)
    let inverse = factors.inverse()
    for row in 0..<dimension {
      for column in 0..<dimension {
        gradient.parameters[row * dimension + column] += Scalar(determinantBar * inverse[column * dimension + row])
      }
    }
    return MapGradient(parameters: gradient.parameters, states: gradient.states, image: image)
  }

  private func image(of states: [Scalar], _ parameters: [Scalar], _ factors: LUFactors) throws -> MapImage<Scalar> {
    let images = try solver.evaluate(SolveProblem(parameters: parameters, states: states, from: 0, to: 1)).velocities
    return MapImage(
      states: images,
      logDeterminants: Array(repeating: factors.logAbsoluteDeterminant, count: states.count / dimension))
  }

  private func factors(of parameters: [Scalar]) throws(KernelError) -> LUFactors {
    try LUFactors(of: parameters[..<(dimension * dimension)].map { Double($0) }, order: dimension)
  }
}
