extension TrainingError {
  /// Throws unless `dataset` has samples of the model's dimension, inside the range that has a density, and with the
  /// context that the model reads.
  static func check(_ dataset: Dataset, model: some TrainableModel) throws(TrainingError) {
    guard dataset.count > 0 else { throw .noSamples(data: dataset.name) }
    guard dataset.dimension == model.dimension else {
      throw .dimensionMismatch(data: dataset.name, dimension: dataset.dimension, flow: model.dimension)
    }
    let columns = dataset.context?.dimension ?? 0
    guard columns == model.contextDimension else {
      throw .contextMismatch(data: dataset.name, columns: columns, expected: model.contextDimension)
    }
    if let context = dataset.context, let row = model.contextKind?.firstMisfit(in: context) {
      throw .contextNotAClass(data: dataset.name, row: row)
    }
    // Levels become (k + u) / levels, which is inside the range.
    guard dataset.quantisation == nil, let index = model.transform.firstOutside(dataset.samples.values) else { return }
    let (row, column) = index.quotientAndRemainder(dividingBy: dataset.dimension)
    let value = dataset.samples.values[index]
    if let alpha = model.transform.logit?.alpha {
      throw .outsideLogitRange(data: dataset.name, row: row, column: column, value: value, alpha: alpha)
    }
    guard let levels = model.transform.marginals?.levels else { return }
    throw .outsideRange(data: dataset.name, row: row, column: column, value: value, levels: levels)
  }

  /// Throws for a base whose density is 0 somewhere, because no gradient of a likelihood leads a sample back in.
  static func checkForLikelihood(_ base: BaseDistribution) throws(TrainingError) {
    guard case .uniform = base else { return }
    throw .invalidOption(
      name: "base", value: base.kind, allowed: "a density that is positive everywhere, for maximum likelihood")
  }

  /// Throws for the first sample of `batch` whose solve failed.
  static func check(_ solution: Solution<Float>, of batch: TrainingBatch) throws(TrainingError) {
    guard let sample = solution.firstFailure else { return }
    throw .solveFailed(
      sample: batch.rows[sample], time: solution.timesReached[sample], status: solution.statuses[sample],
      step: batch.step + 1)
  }
}
