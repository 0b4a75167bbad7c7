extension TrainingError {
  /// Throws unless `dataset` has samples, of the flow's dimension.
  static func check(_ dataset: Dataset, flow: ContinuousFlow) throws(TrainingError) {
    guard dataset.count > 0 else { throw .noSamples(data: dataset.name) }
    guard dataset.dimension == flow.dimension else {
      throw .dimensionMismatch(data: dataset.name, dimension: dataset.dimension, flow: flow.dimension)
    }
  }
}
