import Foundation
import Testing

/// Every example runs and shows what it says. Their bars have the margin that seeds and instruction sets make.
@Suite struct ExampleTests {
  @Test func listed() throws {
    let names = try Examples.run().split(separator: "\n").compactMap { $0.split(separator: "\t").first }
    #expect(names.first == "first" && Set(names).count == names.count)
  }

  /// A Gaussian of full covariance comes to -3.2 nats.
  @Test func first() throws {
    let output = try Examples.run("first")
    #expect(try Examples.number(after: "held-out points:", in: output) > -2.9)
  }

  /// The noise's entropy is 0.726 nats: the best there is, which 400 samples come to within 5 · 0.035 of.
  @Test func conditional() throws {
    let output = try Examples.run("conditional")
    let found = try Examples.number(after: "held-out log p(x|c):", in: output)
    #expect(abs(found + 0.726) < 0.2)
    // The mean of 1,000 samples of deviation 0.5, and what training leaves.
    #expect(abs(try Examples.number(after: "mean of samples at c = 1:", in: output) - 2) < 0.15)
    #expect(abs(try Examples.number(after: "mean of their log p(x|c):", in: output) + 0.726) < 0.15)
  }

  /// Each finer tolerance brings both errors down.
  @Test func changeOfVariables() throws {
    let output = try Examples.run("change-of-variables")
    for words in ["misses by", "determinant differ by"] {
      let figures = try output.components(separatedBy: "tolerance ").dropFirst().map {
        try Examples.number(after: words, in: $0)
      }
      #expect(figures.count == 3 && figures[0] > figures[1] && figures[1] > figures[2], "\(figures)")
      // Some tens of steps at 1e-9, stretched a little.
      #expect(figures[2] < 1e-6)
    }
    #expect(output.contains("t = 0.5"))
  }

  /// The truth is 0.307 nats; a Gaussian of the same moments has -0.21.
  @Test func logit() throws {
    let output = try Examples.run("logit")
    #expect(try Examples.number(after: "held-out log p(x):", in: output) > 0.1)
    // Midpoints of a density that is steep at one end.
    #expect(abs(try Examples.number(after: "integral of p:", in: output) - 1) < 1e-3)
    #expect(output.contains("log p(1.2): -inf"))
  }
}
