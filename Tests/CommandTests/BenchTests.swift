import FlowIO
import Foundation
import Testing

/// `cnf bench` measures what it is asked to, and its figures are plausible. How fast the machine is, is not tested.
@Suite(.serialized, .timeLimit(.minutes(3))) struct BenchTests {
  private func json(_ arguments: String...) throws -> JSONValue {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let outcome = try Program.start(
      ["bench", "--json", "--quiet", "--seconds", "0.01"] + arguments, in: folder
    ).outcome()
    #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(arguments): \(outcome.errors)")
    return try outcome.json
  }

  private func number(_ record: JSONValue, _ key: String) -> Double { record[key]?.doubleValue ?? .nan }

  @Test func kernelsAreFractionsOfThePeak() throws {
    let json = try json("--kernels", "--isa", "generic")
    #expect(
      json.members?.map(\.key) == ["version", "processor", "isa", "threads", "load_average", "full", "peak", "kernels"])
    #expect(json["isa"] == "generic")
    let peak = try #require(json["peak"]?.elements)
    #expect(peak.count == 1 && peak[0]["dtype"] == "float32")
    #expect(number(peak[0], "gflops_per_thread") > 0)
    let kernels = try #require(json["kernels"]?.elements)
    #expect(Set(kernels.compactMap { $0["kernel"]?.text }).count == kernels.count)
    for kernel in kernels {
      let quartiles = kernel["ns_quartiles"]?.elements?.compactMap(\.doubleValue) ?? []
      let median = number(kernel, "ns_median")
      #expect(median > 0 && quartiles.count == 2 && quartiles[0] <= median && median <= quartiles[1], "\(kernel)")
      #expect(number(kernel, "ns_per_element") > 0 && kernel["lanes"]?.integerValue ?? 0 > 0)
    }
    let products = kernels.filter { $0["gflops"]?.doubleValue != nil }
    #expect(products.contains { $0["kernel"] == "product" } && products.contains { $0["kernel"] == "weight_gradient" })
    // The peak is the best of its samples, a kernel's time is a median: above 1 only if another process slowed down the
    // measurement of the peak alone.
    for product in products { #expect((0.001...4).contains(number(product, "peak_fraction")), "\(product)") }
  }

  @Test func trainingStepsAreCheckedBeforeTheyAreTimed() throws {
    let steps = try #require(json("--training", "--workload", "w1", "--threads", "1")["training"]?.elements)
    #expect(steps.map { $0["integration"]?.text } == ["fixed", "adaptive"])
    for step in steps {
      #expect(step["workload"] == "W1" && step["batch"] == 512 && step["threads"] == 1 && step["backend"] == "c")
      #expect(number(step, "ms_median") > 0 && number(step, "nominal_gflops") > 0)
      #expect(number(step, "gradient_error") < 1e-3 && number(step, "loss_error") < 1e-3)
      #expect(step["runs"]?.integerValue ?? 0 >= 3)
    }
    // 20 steps of 4 stages.
    #expect(number(steps[0], "evaluations_mean") == 80)
  }

  @Test func backendsAndThreadsTakeTheSameStep() throws {
    let json = try json("--scaling", "--backends", "--workload", "W1", "--threads", "2")
    let scaling = try #require(json["scaling"]?.elements)
    #expect(scaling.map { $0["threads"]?.integerValue } == [1, 2])
    #expect(number(scaling[0], "speed_up") == 1 && number(scaling[1], "speed_up") > 0)
    // A sample's loss does not depend on the threads, and losses are summed in a fixed order.
    #expect(scaling[0]["loss"] == scaling[1]["loss"])
    let backends = try #require(json["backends"]?.elements)
    #expect(backends.map { $0["backend"]?.text } == ["c", "swift", "c", "swift"])
    #expect(backends.map { $0["threads"]?.integerValue } == [1, 1, 2, 2])
    #expect(Set(backends.map { $0["batch"]?.integerValue }).count == 1)
    // Both sum the same terms in float, in another order.
    #expect(abs(number(backends[0], "loss") - number(backends[1], "loss")) < 1e-4 * abs(number(backends[0], "loss")))
    #expect(number(backends[0], "time_over_c") == 1 && number(backends[1], "time_over_c") > 0)
  }

  /// Every way of computing the divergence has a record at every dimension of either net. `DivergenceCost` compares
  /// each with the Jacobian before it times it.
  @Test func changesOfVolumeAreCompared() throws {
    let records = try #require(json("--divergence")["divergence"]?.elements)
    let ways = ["determinant", "tangents", "product", "hutchinson"]
    let nets = Set(records.compactMap { $0["net"]?.text })
    let found = records.map { "\($0["net"]?.text ?? "") \(number($0, "dimension")) \($0["way"]?.text ?? "")" }
    let dimensions = Set(records.map { number($0, "dimension") })
    #expect(nets.count == 2 && nets.contains("D-64-64-D") && dimensions.count == 4 && dimensions.contains(128))
    let expected = nets.flatMap { net in dimensions.flatMap { dimension in ways.map { "\(net) \(dimension) \($0)" } } }
    #expect(found.sorted() == expected.sorted())
    for record in records {
      let quartiles = record["us_quartiles"]?.elements?.compactMap(\.doubleValue) ?? []
      let median = number(record, "us_median")
      #expect(median > 0 && record["runs"]?.integerValue ?? 0 >= 3, "\(record)")
      #expect(quartiles.count == 2 && quartiles[0] <= median && median <= quartiles[1], "\(record)")
    }
  }

  @Test func tablesLineUp() throws {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let outcome = try Program.run(
      "bench", "--kernels", "--isa", "generic", "--seconds", "0.01", "--quiet", in: folder)
    let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0].hasPrefix("cnf ") && lines[0].contains("generic, 2 threads"), "\(lines[0])")
    let first = try #require(lines.firstIndex { $0.hasPrefix("  kernel") })
    let table = lines[first...].prefix { $0.hasPrefix("  ") && !$0.hasPrefix("  peak") }
    #expect(table.count > 3 && Set(table.map(\.count)).count == 1, "\(table.joined(separator: "\n"))")
    #expect(table.dropFirst().allSatisfy { $0.hasSuffix(" %") })
  }
}
