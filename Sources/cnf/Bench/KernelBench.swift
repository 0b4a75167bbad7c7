import ContinuousFlows
import FlowIO

/// `--kernels`: each C kernel on one thread, products as a fraction of the peak.
struct KernelBench {
  let plan: BenchPlan
  let peaks: Peaks
  let progress: BenchProgress

  private var sizes: [Int] { plan.isFull ? [64, 1024] : [64] }

  /// How many measurements `tables` makes.
  var count: Int {
    let kernels = KernelMeasurement.names.count + (plan.isFull ? KernelMeasurement.names(of: Double.self).count : 0)
    return sizes.count * plan.kernelInstructionSets.count * kernels
  }

  func tables() throws -> [BenchTable] {
    try sizes.flatMap { size in
      try tables(Float.self, size) + (plan.isFull ? tables(Double.self, size) : [])
    }
  }

  /// Products and the rest, which have no operations to count.
  private func tables<Scalar: FlowScalar>(_: Scalar.Type, _ size: Int) throws -> [BenchTable] {
    let sets = plan.kernelInstructionSets
    let names = KernelMeasurement.names(of: Scalar.self)
    let precision = Peaks.name(of: Scalar.self)
    let shape = "on a \(size) x \(size) layer, \(precision), one thread, the same data in every run"
    let measured = try sets.map { set in
      try names.map { name in
        try progress.step("\(name), \(set), \(precision)") {
          try KernelMeasurement(
            of: name, Scalar.self, instructionSet: set, rows: size, columns: size, seconds: plan.kernelSeconds)
        }
      }
    }
    let peak = try sets.map { try peaks.peak(Scalar.self, $0) }
    let limits = zip(sets, peak).map { "\($0) \(Format.decimal($1 * 1e-9, digits: 1))" }
    var products = BenchTable(
      title: "Kernels: products \(shape)",
      columns: [.words("kernel")] + sets.flatMap { [.numbers("\($0) GFLOP/s"), .numbers("of peak")] },
      notes: [
        "peak measured in this run: \(limits.joined(separator: ", ")) GFLOP/s in float; bf16 products may exceed it on avx512bf16"
      ])
    var others = BenchTable(
      title: "Kernels: the rest \(shape)", columns: [.words("kernel")] + sets.map { .numbers("\($0) ns/element") })
    for number in names.indices {
      let row = measured.map { $0[number] }
      for (kernel, peak) in zip(row, peak) {
        let record = record(kernel, precision, size, peak)
        if kernel.operations == nil { others.records.append(record) } else { products.records.append(record) }
      }
      if row.contains(where: { $0.operations != nil }) {
        products.table.append([row[0].name] + zip(row, peak).flatMap { Self.speed($0, peak: $1) })
      } else {
        others.table.append([row[0].name] + row.map { Format.decimal($0.nanosecondsPerElement, digits: 3) })
      }
    }
    return [products, others]
  }

  private static func speed(_ kernel: KernelMeasurement, peak: Double) -> [String] {
    guard let speed = kernel.operationsPerSecond, let fraction = kernel.fraction(ofPeak: peak) else { return ["", ""] }
    return [Format.decimal(speed * 1e-9, digits: 1), Format.percent(fraction)]
  }

  private func record(_ kernel: KernelMeasurement, _ precision: String, _ size: Int, _ peak: Double) -> JSONValue {
    [
      "kernel": .string(kernel.name), "isa": .string(kernel.instructionSet.description), "dtype": .string(precision),
      "rows": .integer(size), "columns": .integer(size), "lanes": .integer(kernel.laneCount),
      "samples": .integer(kernel.samples), "ns_median": .number(kernel.seconds * 1e9),
      "ns_quartiles": [.number(kernel.quartiles.lowerBound * 1e9), .number(kernel.quartiles.upperBound * 1e9)],
      "ns_per_element": .number(kernel.nanosecondsPerElement),
      "gflops": kernel.operationsPerSecond.map { .number($0 * 1e-9) } ?? .null,
      "peak_fraction": kernel.fraction(ofPeak: peak).map { .number($0) } ?? .null,
    ]
  }
}
