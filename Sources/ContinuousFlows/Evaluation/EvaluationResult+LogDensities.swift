extension EvaluationResult {
  /// Summarises `densities`, in the order of the samples.
  public init(_ densities: LogDensities, dimension: Int, quantisation: Quantisation? = nil) {
    let values = densities.values.filter { !$0.isNaN }
    let size = Double(values.count)
    let mean = values.isEmpty ? Double.nan : values.reduce(0, +) / size
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let evaluations = densities.evaluations
    self.init(
      count: densities.values.count, nllNats: -mean,
      nllStandardError: values.count > 1 ? (squares / (size - 1) / size).squareRoot() : .nan,
      bitsPerDimension: ContinuousFlows.bitsPerDimension(nll: -mean, dimension: dimension, quantisation: quantisation),
      evaluationsMean: evaluations.isEmpty ? .nan : Double(evaluations.reduce(0, +)) / Double(evaluations.count),
      evaluationsMaximum: evaluations.max() ?? 0, failed: densities.failed)
  }
}
