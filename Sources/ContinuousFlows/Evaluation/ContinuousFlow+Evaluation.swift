extension ContinuousFlow: DensityModel {
  /// As `evaluate(on:options:backend:seed:)`, by a solver that is there already.
  public func evaluate(
    on dataset: Dataset, by solver: any FieldSolver<Float>, seed: UInt64 = 0
  ) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: self)
    let densities = try logDensities(
      of: dataset.continuousPoints(seed: seed), by: solver, seed: seed, identifiers: dataset.identifiers,
      context: dataset.context)
    return EvaluationResult(densities, dimension: dimension, quantisation: dataset.quantisation)
  }
}
