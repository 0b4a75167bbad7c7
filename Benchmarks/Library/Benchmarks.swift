import Benchmark

/// What the benchmark library looks for. Each benchmark checks what it is going to time in its setup.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .throughput, .peakMemoryResident], warmupIterations: 1, maxDuration: .seconds(2),
    maxIterations: 1_000)
  addFileBenchmarks()
  addSolverBenchmarks()
  addFlowBenchmarks()
}
