/// A sample's solve failed, in a call that needs all of them to succeed.
public struct SolveFailure: Error, Sendable, Equatable {
  /// Number of the first such sample.
  public let sample: Int
  /// The time at which it stopped.
  public let time: Double
  public let status: SampleStatus
  /// Number of failed samples, and of all samples.
  public let failed: Int
  public let count: Int

  public init(sample: Int, time: Double, status: SampleStatus, failed: Int, count: Int) {
    self.sample = sample
    self.time = time
    self.status = status
    self.failed = failed
    self.count = count
  }

  /// Throws unless every sample's solve succeeded.
  public static func check<Scalar>(_ solution: Solution<Scalar>) throws(SolveFailure) {
    guard let sample = solution.firstFailure else { return }
    throw SolveFailure(
      sample: sample, time: solution.timesReached[sample], status: solution.statuses[sample],
      failed: solution.statuses.count { $0 != .ok }, count: solution.statuses.count)
  }
}
