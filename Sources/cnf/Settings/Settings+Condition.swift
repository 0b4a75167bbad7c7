import ContinuousFlows

/// What a conditional model is given with a sample, and the logit, in the words of the library.
extension Settings {
  /// What `--condition` may be beside `none`.
  static let labels = "labels"

  /// The data with the context that the settings ask for; what the logit cannot take is refused.
  func conditioned(_ dataset: Dataset) throws -> Dataset {
    let conditioned = try withContext(dataset)
    if transform == "logit", conditioned.quantisation == nil,
      let index = logit(for: conditioned).firstOutside(conditioned.points.values)
    {
      let (row, column) = index.quotientAndRemainder(dividingBy: conditioned.dimension)
      throw TrainingError.outsideUnitInterval(
        data: dataset.name, row: row, column: column, value: conditioned.points.values[index])
    }
    return conditioned
  }

  private func withContext(_ dataset: Dataset) throws -> Dataset {
    if condition == Self.labels { return try dataset.conditionedOnLabels() }
    guard conditionColumns > 0 else { return dataset }
    guard dataset.quantisation == nil else {
      throw CommandFailure(
        .usage, "condition-columns is for columns of a file, and \(data) is counted in levels: take --condition labels")
    }
    return try dataset.conditionedOnLastColumns(conditionColumns)
  }

  /// What a model of `training` is conditioned on; nil: nothing.
  func fittedCondition(to training: Dataset) -> Condition? {
    guard let context = training.context else { return nil }
    guard condition == Self.labels, let labels = training.labels else { return .columns(standardising: context) }
    return .classes(context.dimension, counting: labels)
  }

  func logit(for training: Dataset) -> LogitTransform {
    let standard =
      training.quantisation == nil ? LogitTransform.continuousAlpha : LogitTransform.levelsAlpha
    return LogitTransform(alpha: logitAlpha > 0 ? logitAlpha : standard)
  }
}
