/// Maximum likelihood of a discrete flow: minimises the mean of −log p(x), exact up to rounding.
public struct ExactLikelihood<Model: DiscreteFlow>: TrainingObjective {
  private let map: any InvertibleMap<Float>

  /// - Parameters:
  ///   - model: the model that will be trained; its parameter values are not used.
  ///   - options: its backend and its training solver's threads are used.
  /// - Throws: `TrainingError.invalidOption` for regularisers or a random end time, which need solves, or a base whose
  ///   density is zero somewhere; `KernelError` for a refused option.
  public init(model: Model, options: TrainingOptions) throws {
    try options.refuseRegularisation("for a discrete flow, which solves nothing")
    try options.refuseEndTimeJitter("for a discrete flow, which solves nothing")
    try TrainingError.checkForLikelihood(model.base)
    map = try model.map(threads: options.solver.threads, backend: options.backend, scalar: Float.self)
  }

  public func gradient(of batch: TrainingBatch, model: Model) throws -> BatchGradient {
    let count = Double(batch.count)
    var loss = 0.0
    let gradient = try map.gradient(at: batch.states, parameters: model.parameters) { image in
      model.base.negativeLogLikelihood(of: image, dimension: model.dimension, scale: 1 / count, sum: &loss)
    }
    return BatchGradient(
      parameters: gradient.parameters, loss: loss, nllNats: loss - batch.logDeterminants.reduce(0, +) / count,
      evaluationsMean: 0)
  }

  public func evaluate(_ model: Model, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try model.evaluate(on: dataset, by: map, seed: seed)
  }
}

extension BaseDistribution {
  /// The cotangents of `scale · Σ −(log p₀(z) + log-determinant)`; adds the loss to `sum`, sample after sample.
  func negativeLogLikelihood<Scalar: FlowScalar>(
    of image: MapImage<Scalar>, dimension: Int, scale: Double, sum: inout Double
  ) -> MapCotangents<Scalar> {
    var cotangents = MapCotangents<Scalar>(
      states: [], logDeterminants: Array(repeating: -scale, count: image.logDeterminants.count))
    cotangents.states.reserveCapacity(image.states.count)
    for sample in image.logDeterminants.indices {
      var score: [Double]? = []
      let z = image.states[sample * dimension..<(sample + 1) * dimension]
      sum -= scale * (logDensity(z, score: &score) + image.logDeterminants[sample])
      for slope in score ?? [] { cotangents.states.append(Scalar(-scale * slope)) }
    }
    return cotangents
  }
}
