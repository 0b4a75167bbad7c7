/// A normalizing flow with finitely many invertible layers: `log p(x) = log p₀(z) + log |det ∂z/∂x|`, z = g(x; θ)
/// (Rezende, Mohamed 2015, arXiv 1505.05770; Papamakarios et al. 2021, arXiv 1912.02762, section 2.1).
///
/// These are the models to compare a continuous flow with: no solve and so no tolerance is involved, but every net must
/// have a form that can be inverted.
public protocol DiscreteFlow: InvertibleFlow {
  /// p₀, the distribution of z.
  var base: BaseDistribution { get set }
  var transform: DataTransform { get set }

  /// The map from the data, after `transform`, to the base.
  ///
  /// - Parameters:
  ///   - threads: nil means as many as OpenMP has. Results do not depend on it.
  ///   - backend: the backend that computes the products.
  /// - Throws: `KernelError` for an invalid number of threads.
  func map<Scalar: FlowScalar>(
    threads: Int?, backend: Backend, scalar: Scalar.Type
  ) throws -> any InvertibleMap<Scalar>
}

/// The checks of every discrete flow's initialisers.
enum DiscreteFlowChecks {
  static func check(_ parameters: [Float], count: Int) {
    precondition(parameters.count == count, "\(parameters.count) parameters for a flow that has \(count)")
  }

  static func check(_ transform: DataTransform, dimension: Int) {
    precondition(
      transform.dimension == dimension,
      "a transform of \(transform.dimension) columns for a flow of \(dimension) dimensions")
  }

  static func check(_ base: BaseDistribution, dimension: Int) {
    if let problem = base.problem(dimension: dimension) { preconditionFailure("\(base.kind) base: \(problem)") }
  }
}
