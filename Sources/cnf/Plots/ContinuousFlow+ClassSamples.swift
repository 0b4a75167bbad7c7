import ContinuousFlows
import FlowPlots

extension ContinuousFlow {
  private static let samplesOfClass = 10

  /// Images of the data next to sampled images, a row for each class; nil for a flow without classes.
  func classSamples(_ settings: Settings, _ split: DatasetSplit) throws -> SampleGrid? {
    guard let classes = contextKind?.classCount, let labels = split.test.labels else { return nil }
    let count = Self.samplesOfClass
    let points = split.test.continuousSamples(seed: settings.seed)
    var shown: [Double] = []
    for label in 0..<classes {
      let rows = labels.indices.filter { labels[$0] == label }.prefix(count)
      shown += points.rows(Array(rows)).values
      // Places stay empty where a class has few held-out samples.
      shown += repeatElement(0, count: (count - rows.count) * dimension)
    }
    let drawnLabels = (0..<classes).flatMap { Array(repeating: $0, count: count) }
    let drawn = try samples(
      count: classes * count, seed: settings.seed, options: settings.evaluationSolverOptions,
      backend: settings.backend, context: SampleMatrix(oneHot: drawnLabels, classes: classes))
    return SampleGrid(
      data: shown, samples: drawn.values, height: Digits.height, width: Digits.width, rows: classes,
      columns: count, black: 1, white: 0, title: "\(settings.data.text), a row for each class")
  }
}
