/// A normalizing flow of finitely many invertible steps: `log p(x) = log p₀(z) + log |det ∂z/∂x|`, z = g(x; θ)
/// (Rezende, Mohamed 2015, arXiv 1505.05770; Papamakarios et al. 2021, arXiv 1912.02762, section 2.1).
///
/// What a continuous flow is compared with: no solve is made, so nothing is off by a tolerance, and every net is bound to a
/// form that can be inverted.
public protocol DiscreteFlow: InvertibleFlow {
  /// p₀, the distribution of z.
  var base: BaseDistribution { get set }
  var transform: DataTransform { get set }

  /// What maps data, after `transform`, to the base.
  ///
  /// - Parameters:
  ///   - threads: nil: as many as OpenMP has. Results do not depend on it.
  ///   - backend: who runs the products.
  /// - Throws: `KernelError` for a number of threads that cannot be.
  func map<Scalar: FlowScalar>(
    threads: Int?, backend: Backend, scalar: Scalar.Type
  ) throws -> any InvertibleMap<Scalar>
}

/// What every discrete flow's initialisers check.
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
