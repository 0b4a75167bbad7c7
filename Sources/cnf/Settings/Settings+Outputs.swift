import ContinuousFlows

/// Of models with outputs.
extension Settings {
  /// Throws a usage failure where a setting of such models is out of range, or given to a model that has no outputs.
  func validateOutputs() throws {
    guard [.classifier, .regression, .residualNetwork].contains(modelKind) else {
      let given: [(Key, Bool)] = [
        (.targets, targets != 0), (.augment, augment != 0), (.encoder, !encoder.isEmpty), (.head, !head.isEmpty),
        (.residualSteps, residualSteps != 0),
      ]
      guard let key = given.first(where: { $0.1 })?.0.rawValue else { return }
      throw CommandFailure(
        .usage,
        "\(key) is of models with outputs, and a \(model) has none: leave --\(key) out, or give --model classifier")
    }
    let ranges: [(Int, Key, ClosedRange<Int>)] = [
      (targets, .targets, 0...4096), (augment, .augment, 0...4096),
      (residualSteps, .residualSteps, modelKind == .residualNetwork ? 1...100_000 : 0...0),
    ]
    for (value, key, range) in ranges where !range.contains(value) {
      throw CommandFailure(
        .usage,
        range.upperBound == 0
          ? "\(key.rawValue) is of --model residual-network: leave --\(key.rawValue) out with \(model)"
          : "\(key.rawValue) is \(value), must be from \(range.lowerBound) to \(range.upperBound)")
    }
    for (widths, key) in [(encoder, Key.encoder), (head, .head)] where !widths.allSatisfy({ 1...65_536 ~= $0 }) {
      throw CommandFailure(.usage, "\(key.rawValue) is \(widths), must be widths from 1 to 65536")
    }
  }

  /// Throws a usage failure where such a model would have more parameters than can be meant.
  func validateOutputSize(dimension: Int, outputs: Int) throws {
    let before = DenseNetwork(inputDimension: dimension, widths: encoder)
    let state = before.outputDimension + augment
    try validateSize(dimension: state)
    let behind = DenseNetwork(inputDimension: state, widths: head + [outputs])
    guard max(before.parameterCount, behind.parameterCount) <= Self.mostParameters else {
      throw CommandFailure(
        .usage,
        "encoder and head are \(encoder) and \(head), which make more than \(Self.mostParameters) parameters: "
          + "take narrower layers")
    }
  }

  /// Whether a model for `dataset` gives classes: a residual network does where there are any.
  func classifies(_ dataset: Dataset) -> Bool {
    modelKind == .residualNetwork ? dataset.labels != nil : modelKind == .classifier
  }

  /// `dataset` as a model of this kind sees it: the last columns taken off where they are targets or classes, and levels without
  /// the noise that densities need.
  func prepared(_ dataset: Dataset) throws -> Dataset {
    switch modelKind {
    case .classifier:
      return targets > 0 ? try dataset.withLabelsInLastColumn() : dataset.withoutNoise
    case .regression: return targets > 0 ? try dataset.withTargets(lastColumns: targets) : dataset.withoutNoise
    case .residualNetwork:
      // Classes are what data have of their own; the last columns are targets.
      guard targets > 0 else { return dataset.withoutNoise }
      let plain = Dataset(name: dataset.name, points: dataset.points, identifiers: dataset.identifiers)
      return try plain.withTargets(lastColumns: targets)
    default: return dataset
    }
  }
}
