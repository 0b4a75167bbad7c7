import ContinuousFlows
import FlowBenchmarks
import FlowIO

/// `--training`, `--scaling`, `--backends`: training steps of the workloads.
struct StepBench {
  let plan: BenchPlan
  let peaks: Peaks
  let progress: BenchProgress

  /// How many steps `training`, `scaling` and `backends` time.
  func count(of section: BenchPlan.Section) -> Int {
    switch section {
    case .kernels, .divergence: 0
    case .training: plan.workloads.count * Integration.allCases.count
    case .scaling: plan.comparedWorkloads.count * threadCounts.count
    case .backends: plan.comparedWorkloads.count * Backend.allCases.count * ends.count
    }
  }

  /// Each workload with fixed and with adaptive steps, on all threads.
  func training() throws -> BenchTable {
    var result = BenchTable(
      title:
        "Training step: mean NLL and gradient, one probe, \(numbers), \(plan.instructionSet), \(Self.threads(plan.threads))",
      columns: [.words("workload"), .words("layers"), .numbers("batch"), .words("steps"), .numbers("evaluations")]
        + Self.timeColumns + [.numbers("GFLOP/s"), .numbers("of peak")],
      notes: Self.notes)
    for workload in plan.workloads {
      for integration in Integration.allCases {
        let benchmark = try TrainingStepBenchmark(workload, integration, batch: plan.batch(of: workload))
        let step = try measure(
          benchmark, .c, plan.precision, plan.threads, against: try benchmark.reference(threads: plan.threads))
        result.table.append(
          [
            workload.name, workload.layers, "\(benchmark.batch)", integration.label,
            Format.decimal(step.evaluationsMean, digits: 1),
          ] + Self.times(step) + (try speed(step)))
        result.records.append(.object(try members(step)))
      }
    }
    return result
  }

  /// Each workload on one thread, on twice as many, and so on up to all.
  func scaling() throws -> BenchTable {
    var result = BenchTable(
      title: "Scaling over threads: the same step, 20 steps of rk4, \(numbers), \(plan.instructionSet)",
      columns: [.words("workload"), .numbers("batch"), .numbers("threads")] + Self.timeColumns
        + [.numbers("speed-up"), .numbers("of ideal")])
    for workload in plan.comparedWorkloads {
      let benchmark = try TrainingStepBenchmark(workload, .fixed, batch: plan.batch(of: workload))
      let reference = try benchmark.reference(threads: plan.threads)
      let steps = try threadCounts.map { try measure(benchmark, .c, plan.precision, $0, against: reference) }
      for step in steps {
        let speedUp = step.speedUp(over: steps[0])
        result.table.append(
          [workload.name, "\(benchmark.batch)", "\(step.threads)"] + Self.times(step)
            + [Format.decimal(speedUp, digits: 2), Format.percent(speedUp / Double(step.threads))])
        result.records.append(.object(try members(step) + [("speed_up", .number(speedUp))]))
      }
    }
    return result
  }

  /// C against Swift alone, on one thread and on all, on batches small enough for Swift.
  func backends() throws -> BenchTable {
    var result = BenchTable(
      title: "Backends: the C kernels (\(plan.instructionSet)) and Swift alone, 20 steps of rk4, on a cut batch",
      columns: [.words("workload"), .numbers("batch"), .words("backend"), .numbers("threads")] + Self.timeColumns
        + [.numbers("GFLOP/s"), .numbers("C is faster by")])
    for workload in plan.comparedWorkloads {
      let batch = min(
        plan.batch(of: workload),
        try BackendComparison.batch(of: workload, .fixed, seconds: plan.isFull ? 1 : plan.seconds / 2))
      let benchmark = try TrainingStepBenchmark(workload, .fixed, batch: batch)
      let reference = try benchmark.reference(threads: plan.threads)
      for threads in ends {
        let steps = try Backend.allCases.map { try measure(benchmark, $0, .full, threads, against: reference) }
        for step in steps {
          let ratio = steps[0].speedUp(over: step)
          result.table.append(
            [workload.name, "\(batch)", step.backend == .c ? "C" : "Swift", "\(threads)"] + Self.times(step)
              + [
                Format.decimal(step.nominalOperationsPerSecond * 1e-9, digits: 1),
                step.backend == .c ? "" : "\(Format.decimal(ratio, digits: 1)) x",
              ])
          result.records.append(.object(try members(step) + [("time_over_c", .number(ratio))]))
        }
      }
    }
    return result
  }

  private var numbers: String { plan.precision == .full ? "float32" : "mixed precision" }

  /// 1, 2, 4, ... and all.
  private var threadCounts: [Int] {
    var counts = [1]
    while counts.last! * 2 < plan.threads { counts.append(counts.last! * 2) }
    return plan.threads > 1 ? counts + [plan.threads] : counts
  }

  /// One thread, and all where there are more.
  private var ends: [Int] { plan.threads > 1 ? [1, plan.threads] : [1] }

  private func measure(
    _ benchmark: TrainingStepBenchmark, _ backend: Backend, _ precision: Precision, _ threads: Int,
    against reference: TrainingStepBenchmark.Reference
  ) throws -> TrainingStepMeasurement {
    try progress.step("\(benchmark), \(backend == .c ? "C" : "Swift"), \(Self.threads(threads))") {
      try benchmark.measure(
        backend: backend, instructionSet: plan.instructionSet, precision: precision, threads: threads,
        seconds: plan.seconds, against: reference)
    }
  }

  // MARK: Columns

  private static let timeColumns: [TextTable.Column] = [.numbers("ms/step"), .numbers("quartiles, ms")]

  private static let notes = [
    "evaluations: mean field evaluations per sample. GFLOP/s: the operations of a textbook step (12 per weight, sample and",
    "evaluation) divided by the time, so saved work shows as speed. of peak: of the measured peak of a thread, times threads",
  ]

  private static func threads(_ count: Int) -> String { count == 1 ? "1 thread" : "\(count) threads" }

  private static func times(_ step: TrainingStepMeasurement) -> [String] {
    func milliseconds(_ seconds: Double) -> String { Format.decimal(seconds * 1e3, digits: 2) }
    let quartiles = step.timing.quartiles
    return [
      milliseconds(step.timing.median),
      "\(milliseconds(quartiles.lowerBound)) ... \(milliseconds(quartiles.upperBound))",
    ]
  }

  private func speed(_ step: TrainingStepMeasurement) throws -> [String] {
    let speed = step.nominalOperationsPerSecond
    return [Format.decimal(speed * 1e-9, digits: 1), Format.percent(try fractionOfPeak(step))]
  }

  private func fractionOfPeak(_ step: TrainingStepMeasurement) throws -> Double {
    step.fraction(ofPeak: try peaks.peak(Float.self, plan.instructionSet))
  }

  private func members(_ step: TrainingStepMeasurement) throws -> [(key: String, value: JSONValue)] {
    let quartiles = step.timing.quartiles
    return [
      ("workload", .string(step.benchmark.workload.name)), ("batch", .integer(step.benchmark.batch)),
      ("integration", .string(step.benchmark.integration.rawValue)), ("backend", .string(step.backend.rawValue)),
      ("isa", step.backend == .c ? .string(plan.instructionSet.description) : .null), ("dtype", "float32"),
      ("precision", .string(step.precision.rawValue)),
      ("threads", .integer(step.threads)), ("runs", .integer(step.timing.seconds.count)),
      ("ms_median", .number(step.timing.median * 1e3)),
      ("ms_quartiles", [.number(quartiles.lowerBound * 1e3), .number(quartiles.upperBound * 1e3)]),
      ("evaluations_mean", .number(step.evaluationsMean)),
      ("nominal_gflops", .number(step.nominalOperationsPerSecond * 1e-9)),
      ("peak_fraction", .number(try fractionOfPeak(step))), ("loss", .number(step.loss)),
      ("loss_error", .number(step.agreement.lossError)), ("gradient_error", .number(step.agreement.gradientError)),
    ]
  }
}
