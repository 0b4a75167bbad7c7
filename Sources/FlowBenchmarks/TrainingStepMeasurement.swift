import NeuralODE

/// The result of timing a training step.
public struct TrainingStepMeasurement: Sendable {
  public let benchmark: TrainingStepBenchmark
  public let backend: Backend
  public let precision: Precision
  public let threads: Int
  /// Seconds of a step.
  public let timing: Timing
  /// Mean negative log-likelihood in nats per sample.
  public let loss: Double
  /// Difference of the result from the reference, checked before timing.
  public let agreement: Agreement
  /// Number of evaluations of the field, over all samples.
  public let evaluations: Int

  public var evaluationsMean: Double { Double(evaluations) / Double(benchmark.batch) }

  /// Operations of a textbook implementation divided by the measured time.
  public var nominalOperationsPerSecond: Double {
    Double(evaluations) * benchmark.workload.nominalOperationsPerEvaluation / timing.median
  }

  /// The fraction of the peak of all threads, where `peak` is the operations per second of one thread.
  public func fraction(ofPeak peak: Double) -> Double { nominalOperationsPerSecond / (peak * Double(threads)) }

  /// The speed-up over `other`.
  public func speedUp(over other: TrainingStepMeasurement) -> Double { other.timing.median / timing.median }
}
