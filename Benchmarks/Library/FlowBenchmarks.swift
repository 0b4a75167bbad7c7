import Benchmark
import ContinuousFlows

/// What a trained flow is asked for: samples, and log-densities with the exact trace.
func addFlowBenchmarks() {
  Benchmark("Draw 10,000 samples, 2-64-64-64-2") { (benchmark, flow: ContinuousFlow) in
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { blackHole(try flow.samples(count: 10_000, seed: 1)) }
  } setup: {
    try checkedFlow()
  }
  Benchmark("Log-densities of 10,000 samples, 2-64-64-64-2") {
    (benchmark, given: (flow: ContinuousFlow, samples: SampleMatrix)) in
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { blackHole(try given.flow.logDensities(of: given.samples)) }
  } setup: {
    let flow = try checkedFlow()
    return (flow: flow, samples: try flow.samples(count: 10_000, seed: 1))
  }
}

/// An untrained flow. A sample has the same log-density when it is drawn and when it is evaluated.
private func checkedFlow() throws -> ContinuousFlow {
  let flow = ContinuousFlow(dimension: 2, hidden: [64, 64, 64], seed: 0)
  let (samples, densities) = try flow.samplesWithLogDensities(count: 100, seed: 1)
  let back = try flow.logDensities(of: samples)
  // Each way is within 1e-5 a step; ten steps, and ten times that for growth.
  for (out, back) in zip(densities, back.values) { precondition(abs(out - back) < 1e-3, "\(out) out, \(back) back") }
  return flow
}
