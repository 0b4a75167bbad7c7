import ContinuousFlows

/// From settings to data.
extension Settings {
  /// The data, split in three. A file has to hold what it held when the run began: otherwise a resumed run would be
  /// another run, and samples that were held out might have been trained on.
  func loadSplit() throws -> DatasetSplit {
    let dataset = try loadData()
    if !self.dataFingerprint.isEmpty {
      let found = DatasetFingerprint(of: dataset)
      guard found.matches(self.dataFingerprint) else {
        throw CommandFailure(
          .badData,
          "\(self.data.text) has changed since this run began, from \(self.dataFingerprint) to \(found): put the old file back, or "
            + "start a new run with --out")
      }
    }
    return try split(dataset)
  }

  /// As `loadSplit`, for a new run: records what a file holds now.
  mutating func recordSplit() throws -> DatasetSplit {
    let dataset = try loadData()
    self.dataFingerprint = ""
    if case .file = self.data { self.dataFingerprint = DatasetFingerprint(of: dataset).description }
    return try split(dataset)
  }

  private func loadData() throws -> Dataset {
    try self.data.loadIfItFits(count: self.count, seed: self.dataSeed, header: self.header)
  }

  private func split(_ dataset: Dataset) throws -> DatasetSplit {
    try conditioned(self.model.prepare(dataset, self)).split(self.data.splitSizes, seed: self.dataSeed)
  }

  // MARK: Context

  /// The data with the context that the settings ask for; values that the logit cannot take are refused.
  private func conditioned(_ dataset: Dataset) throws -> Dataset {
    let conditioned = try withContext(dataset)
    if self.transform == .logit, conditioned.quantisation == nil,
      let index = logit(for: conditioned).firstOutside(conditioned.samples.values)
    {
      let (row, column) = index.quotientAndRemainder(dividingBy: conditioned.dimension)
      throw TrainingError.outsideLogitRange(
        data: dataset.name, row: row, column: column, value: conditioned.samples.values[index],
        alpha: logit(for: conditioned).alpha)
    }
    return conditioned
  }

  private func withContext(_ dataset: Dataset) throws -> Dataset {
    if self.condition == .labels { return try dataset.conditionedOnLabels() }
    guard self.conditionColumns > 0 else { return dataset }
    guard dataset.quantisation == nil else {
      throw CommandFailure(
        .usage,
        "condition-columns is for columns of a file, and \(self.data.text) holds levels: give --condition labels")
    }
    return try dataset.conditionedOnLastColumns(self.conditionColumns)
  }

  /// What a model of `training` is conditioned on; nil: nothing.
  func fittedCondition(to training: Dataset) -> ContextKind? {
    guard let context = training.context else { return nil }
    guard self.condition == .labels, let labels = training.labels else { return .columns(standardising: context) }
    return .classes(context.dimension, counting: labels)
  }

  // MARK: Transform and base

  /// The transform between `training` and a model of it, and the base that the model starts from, both fitted to the
  /// data.
  func fitted(to training: Dataset) throws -> (transform: DataTransform, base: BaseDistribution) {
    let transform = try fittedTransform(to: training) ?? .identity(dimension: training.dimension)
    return (transform, try fittedBase(to: training, through: transform))
  }

  /// The transform between `training` and the model; nil: none.
  func fittedTransform(to training: Dataset) throws -> DataTransform? {
    switch self.transform {
    case .none: return nil
    case .standardise: return .standardising(training.continuousSamples(seed: self.seed))
    case .marginals:
      guard let quantisation = training.quantisation else {
        throw CommandFailure(
          .usage,
          "transform marginals needs data in levels, such as digits: give --transform standardise for \(self.data.text)"
        )
      }
      return .marginals(LevelMarginals(counting: training.samples, quantisation: quantisation))
    case .logit: return .logit(logit(for: training), standardising: training.continuousSamples(seed: self.seed))
    }
  }

  private func logit(for training: Dataset) -> LogitTransform {
    let standard =
      training.quantisation == nil ? LogitTransform.continuousAlpha : LogitTransform.levelsAlpha
    return LogitTransform(alpha: self.logitAlpha > 0 ? self.logitAlpha : standard)
  }

  private func fittedBase(to training: Dataset, through transform: DataTransform) throws -> BaseDistribution {
    guard self.base != .standardNormal else { return .standardNormal }
    let points = training.continuousSamples(seed: self.seed)
    let transformed = StateMatrix(
      count: points.count, dimension: points.dimension, values: transform.forward(points.values))
    switch self.base {
    case .standardNormal: return .standardNormal
    case .gaussian: return .gaussian(fitting: transformed)
    case .fullGaussian: return .fullGaussian(fitting: transformed)
    case .uniform: return .uniform(fitting: transformed)
    case .mixture(let components):
      guard components <= transformed.count else {
        throw CommandFailure(
          .usage, "base is \(self.base.text), more components than there are training samples, \(transformed.count)")
      }
      return .mixture(of: components, fitting: transformed, seed: self.seed)
    }
  }
}
