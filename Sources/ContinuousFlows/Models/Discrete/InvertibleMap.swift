/// An invertible map z = g(x; θ) with an exact log-determinant: the map of a discrete flow.
///
/// Each sample is mapped independently: its result does not depend on the other samples, on its place or on the number
/// of threads.
public protocol InvertibleMap<Scalar> {
  associatedtype Scalar: FlowScalar

  /// The image z of x, and `log |det ∂z/∂x|` for the change of variables (Papamakarios et al. 2021, arXiv 1912.02762,
  /// section 2.1).
  ///
  /// - Parameters:
  ///   - states: x, `[count][D]`.
  ///   - parameters: θ, `[P]`.
  /// - Throws: `KernelError` if the parameters make the map singular.
  func image(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar>

  /// The preimage x of z, both `[count][D]`, and `log |det ∂x/∂z|` as the inverse computes it. Up to rounding it is
  /// minus the log-determinant of x's image.
  ///
  /// - Throws: as `image`.
  func inverse(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar>

  /// The derivative of a loss of every sample's image.
  ///
  /// - Parameters:
  ///   - states: x, `[count][D]`.
  ///   - cotangents: returns the derivatives of the loss for a given image.
  /// - Throws: as `image`.
  func gradient(
    at states: [Scalar], parameters: [Scalar], cotangents: (MapImage<Scalar>) -> MapCotangents<Scalar>
  ) throws -> MapGradient<Scalar>
}

extension InvertibleMap {
  /// The preimage x of z, both `[count][D]`.
  ///
  /// - Throws: as `image`.
  public func preimage(of states: [Scalar], parameters: [Scalar]) throws -> [Scalar] {
    try inverse(of: states, parameters: parameters).states
  }
}

/// The image of samples under a map.
public struct MapImage<Scalar: FlowScalar>: Sendable {
  /// z, `[count][D]`; x for an inverse.
  public var states: [Scalar]
  /// `log |det ∂z/∂x|`, `[count]`; `log |det ∂x/∂z|` for an inverse.
  public var logDeterminants: [Double]
}

/// The derivatives of a loss by the outputs of a map.
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

/// The derivatives of a loss by the inputs of a map.
public struct MapGradient<Scalar: FlowScalar>: Sendable {
  /// `∂L/∂θ`, `[P]`, the same bits at any number of threads.
  public var parameters: [Scalar]
  /// `∂L/∂x`, `[count][D]`.
  public var states: [Scalar]
  public var image: MapImage<Scalar>
}
