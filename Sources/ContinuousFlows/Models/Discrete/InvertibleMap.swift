/// An invertible map z = g(x; θ) of finitely many steps, with an exact log-determinant: what a discrete flow is made of.
///
/// Each sample is mapped by itself: its numbers do not depend on the other samples, on its place or on the number of threads.
public protocol InvertibleMap<Scalar> {
  associatedtype Scalar: FlowScalar

  /// z of x, and `log |det ∂z/∂x|`, what the change of variables takes (Papamakarios et al. 2021, arXiv 1912.02762, section 2.1).
  ///
  /// - Parameters:
  ///   - states: x, `[count][D]`.
  ///   - parameters: θ, `[P]`.
  /// - Throws: `KernelError` where the parameters make the map singular.
  func image(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar>

  /// x of z, both `[count][D]`, and `log |det ∂x/∂z|`, by what the way back sees: of an exact inverse it is minus that of x's image.
  ///
  /// - Throws: as `image`.
  func inverse(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar>

  /// The derivative of a loss that is a function of every sample's image.
  ///
  /// - Parameters:
  ///   - states: x, `[count][D]`.
  ///   - cotangents: the loss's derivatives, given the image.
  /// - Throws: as `image`.
  func gradient(
    at states: [Scalar], parameters: [Scalar], cotangents: (MapImage<Scalar>) -> MapCotangents<Scalar>
  ) throws -> MapGradient<Scalar>
}

extension InvertibleMap {
  /// x of z, both `[count][D]`.
  ///
  /// - Throws: as `image`.
  public func preimage(of states: [Scalar], parameters: [Scalar]) throws -> [Scalar] {
    try inverse(of: states, parameters: parameters).states
  }
}

/// Where samples are mapped to.
public struct MapImage<Scalar: FlowScalar>: Sendable {
  /// z, `[count][D]`; of an inverse x.
  public var states: [Scalar]
  /// `log |det ∂z/∂x|`, `[count]`; of an inverse `log |det ∂x/∂z|`.
  public var logDeterminants: [Double]
}

/// The derivatives of a loss by what a map gives.
public struct MapCotangents<Scalar: FlowScalar>: Sendable {
  /// `∂L/∂z`, `[count][D]`.
  public var states: [Scalar]
  /// `∂L/∂(log-determinant)`, `[count]`.
  public var logDeterminants: [Double]

  public init(states: [Scalar], logDeterminants: [Double]) {
    self.states = states
    self.logDeterminants = logDeterminants
  }
}

/// The derivatives of a loss by what a map is given.
public struct MapGradient<Scalar: FlowScalar>: Sendable {
  /// `∂L/∂θ`, `[P]`, the same bits at any number of threads.
  public var parameters: [Scalar]
  /// `∂L/∂x`, `[count][D]`.
  public var states: [Scalar]
  public var image: MapImage<Scalar>
}
