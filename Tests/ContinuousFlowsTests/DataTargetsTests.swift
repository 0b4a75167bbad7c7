import ContinuousFlows
import Testing

/// Labels and targets stay with their samples.
@Suite struct DataTargetsTests {
  private static let table = Dataset(
    name: "table", samples: SampleMatrix(count: 10, dimension: 3, values: (0..<30).map { Double($0) }))

  @Test func theLastColumnsBecomeTargets() throws {
    let dataset = try Self.table.withTargets(lastColumns: 2)
    #expect(dataset.dimension == 1 && dataset.samples.values == (0..<10).map { Double(3 * $0) })
    #expect(dataset.targets?.values.prefix(4) == [1, 2, 4, 5])
    for columns in [-1, 0, 3, 4] {
      #expect(throws: DataError.noColumnsLeft(source: "table", columns: 3, taken: columns)) {
        try Self.table.withTargets(lastColumns: columns)
      }
    }
  }

  @Test func targetsAreSplitWithTheirSamples() throws {
    let split = try Self.table.withTargets(lastColumns: 1).split(.counts(validation: 2, test: 3), seed: 4)
    for part in [split.train, split.validation, split.test, split.fitted] {
      let targets = try #require(part.targets)
      #expect(targets.count == part.count)
      for row in 0..<part.count { #expect(targets[row].first == (part.samples[row].last ?? 0) + 1) }
    }
    #expect(split.fitted.count == 7)
  }

  @Test func labelsAreWholeNumbers() throws {
    var points = Self.table.samples
    for row in 0..<10 { points.values[3 * row + 2] = Double(row % 3) }
    let labelled = try Dataset(name: "table", samples: points).withLabelsInLastColumn()
    #expect(labelled.labels == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0] && labelled.dimension == 2)
    for value in [0.5, -1, 256, Double.nan] {
      points.values[3 * 4 + 2] = value
      #expect(throws: DataError.notALabel(source: "table", row: 4, value: "\(value)")) {
        try Dataset(name: "table", samples: points).withLabelsInLastColumn()
      }
    }
  }

  @Test func aTargetThatIsNoNumberIsFound() {
    var targets = SampleMatrix(count: 2, dimension: 2, values: [0, 1, 2, 3])
    targets.values[3] = .nan
    let dataset = Dataset(
      name: "table", samples: SampleMatrix(count: 2, dimension: 1, values: [0, 1]), targets: targets)
    #expect(throws: DataError.notFinite(source: "table", row: 1, column: 2, value: "nan")) { try dataset.validate() }
  }

  /// If the parts are far from each other, labels say which part a sample belongs to.
  @Test func labelsAreThePartsThatPointsAreOf() throws {
    let (points, labels) = (
      GeneratedDataset.concentric.samples(count: 500, seed: 3),
      try #require(GeneratedDataset.concentric.labels(count: 500, seed: 3))
    )
    for row in 0..<500 {
      let radius = (points[row].reduce(0) { $0 + $1 * $1 }).squareRoot()
      #expect(labels[row] == 0 ? radius <= 0.5 : (1 - 1e-6...1.5 + 1e-6 ~= radius))
    }
    #expect(Set(labels) == [0, 1])
    let rings = try #require(GeneratedDataset.rings.labels(count: 500, seed: 3))
    let places = GeneratedDataset.rings.samples(count: 500, seed: 3)
    for row in 0..<500 {
      // Half the distance between two rings is more than four deviations of the noise.
      let radius = (places[row].reduce(0) { $0 + $1 * $1 }).squareRoot()
      #expect(abs(radius - 0.75 * Double(1 + rings[row])) < 0.375)
    }
    #expect(GeneratedDataset.checkerboard.labels(count: 3) == nil)
    #expect(GeneratedDataset.moons.dataset(count: 7).labels?.count == 7)
  }
}
