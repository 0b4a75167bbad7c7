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
  ///   - threads: nil means as many as the process can use. Results do not depend on it.
  ///   - backend: the backend that computes the products.
  /// - Throws: `KernelError` for an invalid number of threads.
  func map<Scalar: FlowScalar>(
    threads: Int?, backend: Backend, scalar: Scalar.Type
  ) throws -> any InvertibleMap<Scalar>
}
