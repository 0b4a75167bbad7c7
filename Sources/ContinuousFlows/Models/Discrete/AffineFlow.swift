/// An affine flow in triangular factors: `z = P L U x + b`. P is a permutation, L has a unit diagonal, and U has
/// `exp(log_diagonal)` on its diagonal (after the 1×1 convolutions of Glow: Kingma, Dhariwal 2018, arXiv 1807.03039).
///
/// `log |det ∂z/∂x| = Σ log |Uᵢᵢ|` costs D additions, and no parameter values make the map singular. With a normal
/// base, maximum likelihood turns it into the Gaussian of full covariance.
public struct AffineFlow: DiscreteFlow {
  /// P: row i of `P y` is row `permutation[i]` of y.
  public let permutation: [Int]
  /// `θ`, `[D² + D]`: L below its diagonal, row by row; U above its diagonal, row by row; the logarithms of U's
  /// diagonal, `[D]`; b, `[D]`.
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
  /// - Parameter transform: nil means the identity.
  public init(
    permutation: [Int], parameters: [Float], transform: DataTransform? = nil, base: BaseDistribution = .standardNormal
  ) {
    precondition(!permutation.isEmpty, "an affine flow of 0 dimensions")
    precondition(permutation.sorted() == Array(0..<permutation.count), "\(permutation) is no permutation")
    self.permutation = permutation
    self.parameters = parameters
    self.transform = transform ?? .identity(dimension: permutation.count)
    self.base = base
    ModelChecks.check(parameters, count: dimension * (dimension + 1))
    ModelChecks.check(self.transform, dimension: dimension)
    ModelChecks.check(base, dimension: dimension)
  }

  /// An untrained flow: L and U are the identity and b is 0, so only the permutation acts.
  ///
  /// - Parameter seed: the seed of the permutation.
  public init(
    dimension: Int, seed: UInt64 = 0, transform: DataTransform? = nil, base: BaseDistribution = .standardNormal
  ) {
    precondition(dimension >= 1, "an affine flow of \(dimension) dimensions, must be at least 1")
    self.init(
      permutation: ContinuousFlows.permutation(count: dimension, from: RandomSource(seed: seed, stream: .initial)),
      parameters: Array(repeating: 0, count: dimension * (dimension + 1)), transform: transform, base: base)
  }

  public var dimension: Int { permutation.count }

  public func map<Scalar: FlowScalar>(
    threads: Int?, backend: Backend, scalar: Scalar.Type
  ) throws -> any InvertibleMap<Scalar> {
    try AffineMap<Scalar>(permutation: permutation, threads: threads, backend: backend)
  }
}
