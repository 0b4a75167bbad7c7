extension TrainingError {
  /// Throws unless `dataset` has samples, of the flow's dimension and where it has a density.
  static func check(_ dataset: Dataset, flow: ContinuousFlow) throws(TrainingError) {
    guard dataset.count > 0 else { throw .noSamples(data: dataset.name) }
    guard dataset.dimension == flow.dimension else {
      throw .dimensionMismatch(data: dataset.name, dimension: dataset.dimension, flow: flow.dimension)
    }
    // Levels become (k + u) / levels, which lies inside.
    guard let marginals = flow.transform.marginals, dataset.quantisation == nil else { return }
    if let index = marginals.firstOutside(dataset.points.values) {
      throw .outsideRange(
        data: dataset.name, row: index / dataset.dimension, column: index % dataset.dimension,
        value: dataset.points.values[index], levels: marginals.levels)
    }
  }
}
