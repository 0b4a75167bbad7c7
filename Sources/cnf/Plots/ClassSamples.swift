import ContinuousFlows
import FlowPlots

extension ContinuousFlow {
  private static let samplesOfClass = 10

  /// Images of the data beside images that were drawn, a row for each class; nil for a flow that knows no classes.
  func classSamples(_ settings: Settings, _ split: DatasetSplit) throws -> SampleGrid? {
    guard let classes = condition?.classCount, let labels = split.test.labels else { return nil }
    let count = Self.samplesOfClass
    let points = split.test.continuousPoints(seed: settings.seed)
    var shown: [Double] = []
    for label in 0..<classes {
      let rows = labels.indices.filter { labels[$0] == label }.prefix(count)
      shown += points.rows(Array(rows)).values.map { Double($0) }
      // A class of few held-out samples leaves places empty.
      shown += repeatElement(0, count: (count - rows.count) * dimension)
    }
    let drawnLabels = (0..<classes).flatMap { Array(repeating: $0, count: count) }
    let drawn = try samples(
      count: classes * count, seed: settings.seed, options: settings.evaluationSolverOptions,
      backend: settings.backendChoice, context: SampleMatrix(oneHot: drawnLabels, classes: classes))
    return SampleGrid(
      data: shown, samples: drawn.values.map { Double($0) }, height: Digits.height, width: Digits.width, rows: classes,
      columns: count, black: 1, white: 0, title: "\(settings.data), a row for each class")
  }
}
