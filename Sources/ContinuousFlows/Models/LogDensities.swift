/// Log-densities of samples, `[count]` each.
public struct LogDensities: Sendable, Equatable {
  /// `log p(x)` in nats, in the space of the data; NaN if the status is not ok.
  public var values: [Double]
  public var statuses: [SampleStatus]
  /// The time at which each solve ended; 0 if the status is ok.
  public var timesReached: [Double]
  /// Number of evaluations of the field.
  public var evaluations: [Int]

  /// Number of samples that have no log-density.
  public var failed: Int { statuses.count { $0 != .ok } }
}
