import ContinuousFlows
import Testing

@Suite struct DataSplitTests {
  private let dataset = Dataset(
    name: "counted", samples: SampleMatrix(count: 50, dimension: 1, values: (0..<50).map { Double($0) }))

  @Test func partsAreDisjointAndSeeded() throws {
    let split = try dataset.split(.fractions(validation: 0.1, test: 0.2), seed: 4)
    #expect(split.validation.count == 5 && split.test.count == 10 && split.train.count == 35)
    let values = split.train.samples.values + split.validation.samples.values + split.test.samples.values
    #expect(values.sorted() == dataset.samples.values)
    #expect(values != dataset.samples.values)
    #expect(try dataset.split(.fractions(validation: 0.1, test: 0.2), seed: 4) == split)
    #expect(try dataset.split(.fractions(validation: 0.1, test: 0.2), seed: 5) != split)
  }

  @Test func theTestPartDoesNotDependOnTheValidationPart() throws {
    let first = try dataset.split(.counts(validation: 1, test: 10))
    let second = try dataset.split(.counts(validation: 20, test: 10))
    #expect(first.test == second.test)
  }

  @Test func samplesKeepTheirIdentifiers() throws {
    let split = try dataset.split(.counts(validation: 5, test: 5))
    for part in [split.train, split.validation, split.test] {
      #expect(part.identifiers.map { Double($0) } == part.samples.values)
    }
  }

  @Test func tooFewRows() {
    let few = dataset.rows(0..<3)
    #expect(throws: DataError.tooFewRows(source: "counted", count: 3, needed: 4)) {
      try few.split(.fractions(validation: 0.1, test: 0.1))
    }
  }
}
