/// Some of a call's samples after they have been solved, as a loss function gets them.
///
/// The solver passes them in groups of one or more samples, in any order and from any thread.
public struct SolvedSamples<Scalar: FlowScalar>: Sendable {
  /// The index of the first of these samples in the call; the others follow it.
  public let first: Int
  /// The end states `x(t1)`, `[count][D]`; for a failed sample, the state where it stopped.
  public let states: [Scalar]
  /// The log-determinants from t0 to t1, `[count]`.
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

/// The losses of solved samples and their cotangents, as a loss function returns them.
///
/// All numbers are 0 at first. The values for a failed sample are ignored.
public struct SampleCotangents<Scalar: FlowScalar>: Sendable {
  /// The loss of each sample, `[count]`.
  public var losses: [Double]
  /// `∂L/∂x(t1)`, `[count][D]`.
  public var states: [Scalar]
  /// `∂L/∂(log-determinant)`, `[count]`.
  public var logDeterminants: [Double]

  public init(for solved: SolvedSamples<Scalar>) {
    losses = Array(repeating: 0, count: solved.count)
    states = Array(repeating: 0, count: solved.states.count)
    logDeterminants = Array(repeating: 0, count: solved.count)
  }

  /// A message with both shapes if the lengths of these arrays do not fit `solved`; nil if they fit.
  public func shapeProblem(of solved: SolvedSamples<Scalar>) -> String? {
    guard
      losses.count != solved.count || logDeterminants.count != solved.count
        || states.count != solved.states.count
    else { return nil }
    return
      "a loss function returned \(losses.count) losses, \(states.count) state cotangents and \(logDeterminants.count) "
      + "log-determinant cotangents for \(solved.count) samples with \(solved.states.count) state numbers in all"
  }

  /// Stops the program if the lengths of these arrays do not fit `solved`.
  public func checkShapes(of solved: SolvedSamples<Scalar>) {
    if let problem = shapeProblem(of: solved) { preconditionFailure(problem) }
  }
}
