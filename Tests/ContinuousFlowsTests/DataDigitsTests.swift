import ContinuousFlows
import Testing

@Suite struct DataDigitsTests {
  @Test func theyAreTheDigits() throws {
    let digits = try Digits.load()
    #expect(digits.count == 1797 && digits.dimension == 64)
    // The sum of all levels and the count of each label, from scikit-learn's load_digits.
    #expect(digits.samples.values.reduce(0) { $0 + Int($1) } == 561_718)
    let labels = try #require(digits.labels)
    #expect(
      (0..<10).map { digit in labels.count { $0 == digit } } == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    #expect(digits.samples.values.allSatisfy { $0 == $0.rounded() && (0...16).contains($0) })
    #expect(digits.samples[0].prefix(8).elementsEqual([0, 0, 5, 13, 9, 1, 0, 0]))
  }

  @Test func dequantisationKeepsLevelsAndIsKeyedBySample() throws {
    let digits = try Digits.load()
    let continuous = digits.continuousSamples(seed: 9)
    for (level, value) in zip(digits.samples.values, continuous.values) {
      // Rounding to Float can turn k + u into k + 1, at the upper end.
      #expect(value * 17 >= level - 1e-4 && value * 17 <= level + 1 + 1e-4)
    }
    let numbers = [1000, 3, 17]
    #expect(digits.rows(numbers).continuousSamples(seed: 9) == continuous.rows(numbers))
    #expect(digits.continuousSamples(seed: 9) == continuous)
    #expect(digits.continuousSamples(seed: 9, epoch: 1) != digits.continuousSamples(seed: 9, epoch: 2))
    #expect(digits.continuousSamples(seed: 10) != continuous)
    let noise = zip(digits.samples.values, continuous.values).map { Double($1 * 17 - $0) }
    let mean = noise.reduce(0, +) / Double(noise.count)
    // Five standard errors of the mean of uniform numbers.
    #expect(abs(mean - 0.5) < 5 * (1.0 / 12 / Double(noise.count)).squareRoot())
  }

  @Test func theUsualSplit() throws {
    let source = try DatasetSource("digits")
    let digits = try source.load()
    let split = try digits.split(source.splitSizes)
    #expect(split.test.count == 360 && split.train.count + split.validation.count == 1437)
    #expect(split.fitted.count == 1437 && split.fitted.labels?.count == 1437)
    let all = (split.train.identifiers + split.validation.identifiers + split.test.identifiers).sorted()
    #expect(all == (0..<1797).map { UInt64($0) })
  }

  @Test func bitsPerDimensionAreThoseOfTheLevels() {
    // A uniform density on the unit cube gives each of the 17 levels the probability 1/17, which is log2 17 bits.
    let uniform = bitsPerDimension(nll: 0, dimension: 64, quantisation: Quantisation(levels: 17))
    #expect(abs(uniform - 4.087462841250339) < 1e-12)
    #expect(abs(bitsPerDimension(nll: 3, dimension: 2) - 1.5 / 0.6931471805599453) < 1e-12)
  }
}
