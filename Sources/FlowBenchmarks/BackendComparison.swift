import NeuralODE

/// Batch sizes at which the C kernels and Swift alone can be compared: Swift is too slow for the large batches.
public enum BackendComparison {
  /// The smallest batch: two of Swift's tiles.
  private static let leastBatch = 16

  /// A batch whose step takes Swift about `seconds` on one thread. At most the workload's batch, and at least the
  /// smallest batch.
  public static func batch(of workload: Workload, _ integration: Integration, seconds: Double) throws -> Int {
    let least = min(leastBatch, workload.batch)
    let benchmark = try TrainingStepBenchmark(workload, integration, batch: least)
    let step = try benchmark.measure(
      backend: .swift, threads: 1, seconds: 0, against: benchmark.reference(threads: 1))
    let multiple = max(1, Int(seconds / step.timing.median))
    // A power of two, so that the next run on this machine most likely chooses the same batch.
    return min(workload.batch, least << (Int.bitWidth - 1 - multiple.leadingZeroBitCount))
  }
}
