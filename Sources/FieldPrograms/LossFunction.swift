/// Samples that have been solved, as a loss sees them: some of a call's, together or one by one, in any order and from any thread.
public struct Arrivals<Scalar: FlowScalar>: Sendable {
  /// Number, within the call, of the first of them; the others follow it.
  public let first: Int
  /// `x(t1)`, `[count][D]`; of a failed sample where it stopped.
  public let states: [Scalar]
  /// `[count]`.
  public let logDeterminants: [Double]
  public let statuses: [SampleStatus]

  public init(first: Int, states: [Scalar], logDeterminants: [Double], statuses: [SampleStatus]) {
    self.first = first
    self.states = states
    self.logDeterminants = logDeterminants
    self.statuses = statuses
  }

  public var count: Int { statuses.count }
}

/// What a loss has to say of each of `Arrivals`; begins with zeros. What it says of a failed sample is not used.
public struct ArrivalCotangents<Scalar: FlowScalar>: Sendable {
  /// Each sample's loss, `[count]`.
  public var losses: [Double]
  /// `∂L/∂x(t1)`, `[count][D]`.
  public var states: [Scalar]
  /// `∂L/∂(log-determinant)`, `[count]`.
  public var logDeterminants: [Double]

  public init(for arrivals: Arrivals<Scalar>) {
    losses = Array(repeating: 0, count: arrivals.count)
    states = Array(repeating: 0, count: arrivals.states.count)
    logDeterminants = Array(repeating: 0, count: arrivals.count)
  }

  /// Why these are not the cotangents of `arrivals`: both shapes in one sentence; nil where they are.
  public func shapeProblem(of arrivals: Arrivals<Scalar>) -> String? {
    guard
      losses.count != arrivals.count || logDeterminants.count != arrivals.count
        || states.count != arrivals.states.count
    else { return nil }
    return
      "a loss of \(losses.count) losses, \(states.count) state and \(logDeterminants.count) log-determinant cotangents for "
      + "\(arrivals.count) samples of \(arrivals.states.count) numbers"
  }

  /// Arrays of another size are a programmer's error.
  public func checkShapes(of arrivals: Arrivals<Scalar>) {
    if let problem = shapeProblem(of: arrivals) { preconditionFailure(problem) }
  }
}
