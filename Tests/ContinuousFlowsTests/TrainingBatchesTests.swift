import Testing

@testable import ContinuousFlows

@Suite struct TrainingBatchesTests {
  private let dataset = Dataset(
    name: "numbers", samples: SampleMatrix(count: 10, dimension: 1, values: (0..<10).map { Double($0) }))

  private func batches(size: Int, seed: UInt64 = 3) -> TrainingBatches {
    TrainingBatches(dataset, transform: .identity(dimension: 1), size: size, seed: seed)
  }

  @Test func everyEpochSeesEverySampleOnce() {
    var batches = batches(size: 4)
    let rows = (0..<5).flatMap { batches.batch(step: $0).rows }
    #expect(rows.prefix(10).sorted() == Array(0..<10))
    #expect(rows.suffix(10).sorted() == Array(0..<10))
    #expect(rows.prefix(10) != rows.suffix(10))
  }

  @Test func aBatchDependsOnItsStepAlone() {
    var inOrder = batches(size: 3)
    for step in 0..<20 {
      var alone = batches(size: 3)
      let (first, second) = (inOrder.batch(step: step), alone.batch(step: step))
      #expect(first.rows == second.rows)
      #expect(first.states == second.states)
      #expect(first.identifiers == first.rows.map { UInt64($0) })
      #expect(first.states == first.rows.map { Float($0) })
    }
  }

  @Test func seedsDiffer() {
    var first = batches(size: 10)
    var second = batches(size: 10, seed: 4)
    #expect(first.batch(step: 0).rows != second.batch(step: 0).rows)
  }

  @Test func aBatchIsAtMostTheWholeSet() {
    var batches = batches(size: 64)
    #expect(batches.size == 10)
    #expect(batches.batch(step: 7).rows.sorted() == Array(0..<10))
  }

  @Test func quantisedDataGetNoiseOfTheirEpoch() {
    let quantised = Dataset(name: "levels", samples: dataset.samples, quantisation: Quantisation(levels: 10))
    let transform = DataTransform(shift: [0.5], scale: [0.25])
    var batches = TrainingBatches(quantised, transform: transform, size: 10, seed: 3)
    let first = batches.batch(step: 0)
    let second = batches.batch(step: 1)
    for batch in [first, second] {
      for (row, state) in zip(batch.rows, batch.states) {
        let level = (state * 0.25 + 0.5) * 10
        #expect(level >= Float(row) - 1e-4 && level < Float(row) + 1 + 1e-4)
      }
    }
    let byRow = { (batch: TrainingBatch) in zip(batch.rows, batch.states).sorted { $0.0 < $1.0 }.map(\.1) }
    #expect(byRow(first) != byRow(second))
  }
}
