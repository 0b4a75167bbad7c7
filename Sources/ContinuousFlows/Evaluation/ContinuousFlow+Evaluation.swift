extension ContinuousFlow: DensityModel {
  /// As `evaluate(on:options:backend:seed:)`, with an existing solver.
  public func evaluate(
    on dataset: Dataset, by solver: any FieldSolver<Float>, seed: UInt64 = 0
  ) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: self)
    let densities = try logDensities(
      of: dataset.continuousSamples(seed: seed), by: solver, seed: seed, identifiers: dataset.identifiers,
      context: dataset.context)
    return EvaluationResult(densities, dimension: dimension, quantisation: dataset.quantisation)
  }
}
