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
}
