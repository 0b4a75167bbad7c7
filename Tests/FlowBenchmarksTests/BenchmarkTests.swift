import NeuralODE
import Testing

@testable import FlowBenchmarks

/// Benchmarks measure only what is right, and say what they measured.
@Suite struct BenchmarkTests {
  @Test func workloadsAreThoseOfTheirNames() throws {
    #expect(Workload.all.map(\.name) == ["W1", "W2", "W3", "W4", "W5"])
    let first = Workload.all[0]
    #expect(first.layers == "2-64-64-64-2")
    // 3·64 + 64·64 + 64·64 + 64·2 weights; 2 operations each for value and tangent, 4 for the reverse of each.
    #expect(first.nominalOperationsPerEvaluation == 12 * 8512)
    let parameters = try first.parameters()
    let hidden = first.program.linearLayouts[1]
    let weights = parameters[hidden.weightOffset..<hidden.biasOffset]
    let variance = weights.reduce(0) { $0 + Double($1) * Double($1) } / Double(weights.count)
    // 4/64 over 4,096 draws: the standard error of a variance is √(2/n) of it, here 2.2 %; five of those.
    #expect(abs(variance / (4.0 / 64) - 1) < 5 * (2.0 / 4096).squareRoot())
    #expect(try first.states(count: 3) == Array(first.states(count: 5).prefix(6)))
  }

  @Test(arguments: Backend.allCases) func aWrongResultIsNotTimed(_ backend: Backend) throws {
    let benchmark = try TrainingStepBenchmark(Workload.all[0], .fixed, batch: 3)
    let reference = try benchmark.reference(threads: 1)
    let step = try benchmark.measure(backend: backend, threads: 1, seconds: 0, against: reference)
    #expect(step.evaluations == 3 * 80 && step.timing.seconds.count == 3)
    #expect(abs(step.loss - reference.loss) < 1e-4 * reference.loss)

    var gradient = reference.gradient
    gradient[gradient.count / 2] += 1e-3 * gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let wrong = TrainingStepBenchmark.Reference(loss: reference.loss, gradient: gradient)
    #expect(throws: BenchmarkError.self) {
      try benchmark.measure(backend: backend, threads: 1, seconds: 0, against: wrong)
    }
    let missing = TrainingStepBenchmark.Reference(loss: .nan, gradient: reference.gradient)
    #expect(throws: BenchmarkError.self) {
      try benchmark.measure(backend: backend, threads: 1, seconds: 0, against: missing)
    }
  }

  @Test func theComparedBatchIsAtMostTheWorkloads() throws {
    let small = Workload(name: "small", stateDimension: 2, hidden: [4], batch: 48, quickBatch: 48)
    #expect(try BackendComparison.batch(of: small, .fixed, seconds: 1e-9) == 16)
    #expect(try BackendComparison.batch(of: small, .fixed, seconds: 100) == 48)
  }

  @Test func timingsAreOrdered() {
    var calls = 0
    let timing = Timing(seconds: 0, leastRuns: 5) { calls += 1 }
    #expect(calls == 5 && timing.seconds.count == 5 && timing.seconds == timing.seconds.sorted())
    #expect(timing.quartiles.contains(timing.median))
  }

  @Test func kernelsAndPeaksAreMeasured() throws {
    #expect(KernelMeasurement.names.contains("product"))
    for scalar in [Float.self, Double.self] as [any FlowScalar.Type] { try measure(scalar) }
    #expect(throws: KernelError.self) { try Machine.measurePeak(Float.self, seconds: 0) }
    #expect(throws: KernelError.self) {
      try KernelMeasurement(
        of: "product", Float.self, instructionSet: .generic, rows: 0, columns: 1, seconds: 0.001)
    }
  }

  private func measure<Scalar: FlowScalar>(_: Scalar.Type) throws {
    #expect(try Machine.measurePeak(Scalar.self, instructionSet: .generic, seconds: 0.001) > 0)
    let product = try KernelMeasurement(
      of: "product", Scalar.self, instructionSet: .generic, rows: 5, columns: 3, seconds: 0.001)
    #expect(product.operations == Double(2 * 5 * 3 * product.laneCount) && product.seconds > 0)
    #expect(product.quartiles.contains(product.seconds) && product.instructionSet == .generic)
    let activation = try KernelMeasurement(
      of: "activation_tanh", Scalar.self, instructionSet: .generic, rows: 5, columns: 3, seconds: 0.001)
    #expect(activation.operations == nil && activation.elements == Double(5 * activation.laneCount))
  }
}
