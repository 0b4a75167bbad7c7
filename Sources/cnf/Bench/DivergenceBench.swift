import CLibrary
import ContinuousFlows
import FlowBenchmarks
import FlowIO

/// `--divergence`: the cost of a change of volume per sample, by dimension.
struct DivergenceBench {
  let plan: BenchPlan
  let progress: BenchProgress

  private var dimensions: [Int] { plan.isFull ? [2, 8, 32, 128, 512] : [2, 8, 32, 128] }

  /// Hidden layers of a fixed width, and as wide as the data.
  private static let nets: [(name: String, hidden: @Sendable (Int) -> [Int])] = [
    ("D-64-64-D", { _ in [64, 64] }), ("D-D-D-D", { [$0, $0] }),
  ]

  /// How many measurements `tables` makes.
  var count: Int { Self.nets.count * dimensions.count * DivergenceCost.Method.allCases.count }

  func tables() throws -> [BenchTable] { try Self.nets.map { try table($0.name, $0.hidden) } }

  private func table(_ net: String, _ hidden: (Int) -> [Int]) throws -> BenchTable {
    let ways = DivergenceCost.Method.allCases
    var table = BenchTable(
      title: "Change of volume: a tanh net of layers \(net) on [x, t], double, one thread, microseconds a sample",
      columns: [
        .numbers("D"), .numbers("log|det|, LU"), .numbers("trace, D tangents"), .numbers("trace, product"),
        .numbers("Hutchinson"),
      ],
      notes: [
        "growth: the exponent p of time ~ D^p between the last two dimensions. log|det|: LAPACK's, of the Jacobian of x + f(x)/10,",
        "without the D tangents that the Jacobian costs. product: one hidden x hidden product, up to two hidden layers",
      ])
    var columns = [[Double]](repeating: [], count: ways.count)
    for dimension in dimensions {
      let cost = try DivergenceCost(dimension: dimension, hidden: hidden(dimension))
      for (column, method) in ways.enumerated() {
        let timing = try progress.step("\(method.rawValue), D = \(dimension), \(net)") {
          try cost.measure(method, seconds: plan.kernelSeconds)
        }
        columns[column].append(timing.median)
        table.records.append([
          "net": .string(net), "dimension": .integer(dimension), "way": .string(method.rawValue),
          "runs": .integer(timing.seconds.count), "us_median": .number(timing.median * 1e6),
          "us_quartiles": [.number(timing.quartiles.lowerBound * 1e6), .number(timing.quartiles.upperBound * 1e6)],
        ])
      }
      table.table.append(["\(dimension)"] + columns.map { Format.decimal($0[$0.count - 1] * 1e6, digits: 3) })
    }
    let last = dimensions.count - 1
    let growths = columns.map {
      log($0[last] / $0[last - 1]) / log(Double(dimensions[last]) / Double(dimensions[last - 1]))
    }
    table.table.append(["growth"] + growths.map { Format.decimal($0, digits: 2) })
    return table
  }
}
