import CLibrary

extension NeuralODEModel {
  /// How well the model predicts the labels or targets of `dataset`.
  ///
  /// `nllNats` is the cross-entropy of a classifier. For a regression it is the mean negative log-density of the
  /// targets under a normal distribution around the outputs, whose standard deviation is the scale of the targets'
  /// transform; it is smallest where the squared error is smallest. `bitsPerDimension` is that per label or target
  /// column.
  ///
  /// - Throws: `TrainingError.noSamples`, `.dimensionMismatch`; `DataError` for labels or targets that are missing or
  ///   do not fit; `KernelError` for a refused option.
  public func evaluate(
    on dataset: Dataset, options: SolverOptions = SolverOptions(trace: .none), backend: Backend = .c
  ) throws -> EvaluationResult {
    try evaluate(
      on: dataset, by: NeuralODENetwork(architecture, options: solverOptions(options), backend: backend))
  }

  func evaluate(on dataset: Dataset, by network: NeuralODENetwork<Float>) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: self)
    switch task {
    case .classification:
      let labels = try dataset.checkedLabels(classes: outputDimension)
      let found = try predictions(for: dataset.samples, by: network)
      let classes = found.classes
      let right = labels.indices.count { classes[$0] == labels[$0] }
      let losses = labels.indices.map { sample in
        -Softmax.logProbabilities(found.outputs[sample])[labels[sample]]
      }
      var result = EvaluationResult(losses: losses, of: found, columns: 1)
      let arrived = labels.count - found.failed
      result.accuracy = arrived > 0 ? Double(right) / Double(arrived) : nil
      return result
    case .regression(let transform):
      let targets = try dataset.checkedTargets(columns: outputDimension)
      let found = try predictions(for: dataset.samples, by: network)
      let columns = Double(outputDimension)
      let errors = (0..<targets.count).map { sample in
        zip(found.outputs[sample], targets[sample]).map { $0 - $1 }
      }
      let normalisation = transform.scale.reduce(0) { $0 + log($1) } + columns / 2 * log(2 * Double.pi)
      let losses = errors.map { errors in
        zip(errors, transform.scale).reduce(normalisation) { sum, pair in
          let standard = pair.0 / pair.1
          return sum + standard * standard / 2
        }
      }
      var result = EvaluationResult(losses: losses, of: found, columns: outputDimension)
      let squares = errors.map { $0.reduce(0) { $0 + $1 * $1 } / columns }.filter { !$0.isNaN }
      result.meanSquaredError = squares.isEmpty ? nil : squares.reduce(0, +) / Double(squares.count)
      return result
    }
  }
}

extension EvaluationResult {
  /// Summarises `losses` in nats, in the order of the samples; failed samples have NaN.
  fileprivate init(losses: [Double], of found: Predictions, columns: Int) {
    self.init(
      LogDensities(
        values: losses.map { -$0 }, statuses: found.statuses, timesReached: [], evaluations: found.evaluations),
      dimension: columns)
  }
}

extension Dataset {
  /// The labels, each at least 0 and below `classes`.
  ///
  /// - Throws: `DataError.noLabels`, `.labelOutOfRange`.
  func checkedLabels(classes: Int) throws(DataError) -> [Int] {
    guard let labels else { throw .noLabels(source: name) }
    if let row = labels.firstIndex(where: { Int($0) >= classes }) {
      throw .labelOutOfRange(source: name, row: row, label: Int(labels[row]), classes: classes)
    }
    return labels.map { Int($0) }
  }

  /// The targets, with `columns` columns.
  ///
  /// - Throws: `DataError.noTargets`, `.targetColumns`.
  func checkedTargets(columns: Int) throws(DataError) -> SampleMatrix {
    guard let targets else { throw .noTargets(source: name) }
    guard targets.dimension == columns else {
      throw .targetColumns(source: name, columns: targets.dimension, expected: columns)
    }
    return targets
  }
}
