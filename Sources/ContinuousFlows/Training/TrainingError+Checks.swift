extension TrainingError {
  /// Throws unless `dataset` has samples, of the model's dimension and where it has a density.
  static func check(_ dataset: Dataset, model: some TrainableModel) throws(TrainingError) {
    guard dataset.count > 0 else { throw .noSamples(data: dataset.name) }
    guard dataset.dimension == model.dimension else {
      throw .dimensionMismatch(data: dataset.name, dimension: dataset.dimension, flow: model.dimension)
    }
    // Levels become (k + u) / levels, which lies inside.
    guard let marginals = model.transform.marginals, dataset.quantisation == nil else { return }
    if let index = marginals.firstOutside(dataset.points.values) {
      throw .outsideRange(
        data: dataset.name, row: index / dataset.dimension, column: index % dataset.dimension,
        value: dataset.points.values[index], levels: marginals.levels)
    }
  }

  /// Throws for the first sample of `batch` whose solve has failed.
  static func check(_ solution: Solution<Float>, of batch: TrainingBatch) throws(TrainingError) {
    guard let sample = solution.firstFailure else { return }
    throw .solveFailed(
      sample: batch.rows[sample], time: solution.timesReached[sample], status: solution.statuses[sample],
      step: batch.step + 1)
  }
}
