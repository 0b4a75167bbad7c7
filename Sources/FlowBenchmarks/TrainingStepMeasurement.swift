import NeuralODE

/// What timing a training step gave.
public struct TrainingStepMeasurement: Sendable {
  public let benchmark: TrainingStepBenchmark
  public let backend: Backend
  public let precision: Precision
  public let threads: Int
  /// Of a step.
  public let timing: Timing
  /// Mean negative log-likelihood, nats.
  public let loss: Double
  /// Of the result, before timing.
  public let agreement: Agreement
  /// Of the field, over all samples.
  public let evaluations: Int

  public var evaluationsMean: Double { Double(evaluations) / Double(benchmark.batch) }

  /// Operations of a textbook's step over the time it took.
  public var nominalOperationsPerSecond: Double {
    Double(evaluations) * benchmark.workload.nominalOperationsPerEvaluation / timing.median
  }

  /// How much that is of what all threads could do, `peak` being the operations per second of one.
  public func fraction(ofPeak peak: Double) -> Double { nominalOperationsPerSecond / (peak * Double(threads)) }

  /// How many times faster this is than `other`.
  public func speedUp(over other: TrainingStepMeasurement) -> Double { other.timing.median / timing.median }
}
