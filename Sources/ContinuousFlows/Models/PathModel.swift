/// A flow whose samples can be followed along their paths from the base to the data.
public protocol PathModel: DensityModel {
  /// The time at which paths end; they start at 0.
  var totalTime: Double { get }

  /// The samples that `samples(count:seed:)` draws, at each of `times`, in the space of the data: `[times][count][D]`.
  ///
  /// - Parameters:
  ///   - times: rising times in 0 ... `totalTime`.
  ///   - context: `[count][C]`, for a flow that reads a context; nil means none.
  /// - Throws: `SolveFailure` if a sample's solve fails; `KernelError` for a refused option.
  func paths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions, backend: Backend, context: SampleMatrix?
  ) throws -> [SampleMatrix]

  /// The same samples with the log-density of the flow's distribution at each time and place; parameters as above.
  func logDensityPaths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions, backend: Backend, context: SampleMatrix?
  ) throws -> DensityPaths
}

extension PathModel {
  /// `count` evenly spaced times from 0 to `totalTime`, for `paths` and `logDensityPaths`; a single time is
  /// `totalTime`.
  ///
  /// Divides first: the quotient rises to exactly 1, and its product with the end rounds to at most the end. So the
  /// times rise, none exceeds the end, and the last is exactly the end. (`end · i / n` misses 66 of the ends 0.01, 0.02
  /// … 4 by an ulp, for n = 40.)
  ///
  /// - Parameter count: positive.
  public func evenTimes(_ count: Int) -> [Double] {
    precondition(count > 0, "\(count) times, must be at least 1")
    guard count > 1 else { return [totalTime] }
    return (0..<count).map { totalTime * (Double($0) / Double(count - 1)) }
  }

  func checkTimes(_ times: [Double]) {
    precondition(
      zip(times, times.dropFirst()).allSatisfy { $0 <= $1 } && times.allSatisfy { (0...totalTime).contains($0) },
      "times must rise within 0 ... \(totalTime)")
  }
}

/// Samples on their path from the base to the data, with the log-density at every time.
public struct DensityPaths: Sendable, Equatable {
  /// Rising times in 0 ... `totalTime`.
  public let times: [Double]
  /// The samples in the space of the data, one matrix `[count][D]` for each time.
  public let states: [SampleMatrix]
  /// `log p_t` of each sample in nats, in the same space, `[times][count]`; at the end this is its log-density under
  /// the flow.
  public let logDensities: [[Double]]
}

/// States and log-determinants of a batch at one output time.
struct PathStop<Scalar: FlowScalar> {
  /// `[count][D]`.
  let states: [Scalar]
  /// From the base to this time, `[count]`; 0 if the solver has no trace.
  let logDeterminants: [Double]
}

extension PathStop {
  /// Output time number `time` of `solution`, which stores its output times sample by sample.
  ///
  /// - Parameter passed: log-determinants from the base to the start of the solve, `[count]`.
  init(_ solution: Solution<Scalar>, time: Int, of timeCount: Int, dimension: Int, passed: [Double]) {
    let samples = passed.indices
    states = samples.flatMap { sample in
      let first = (sample * timeCount + time) * dimension
      return solution.statesAtTimes[first..<first + dimension]
    }
    logDeterminants = samples.map { passed[$0] + solution.logDeterminantsAtTimes[$0 * timeCount + time] }
  }

  /// With states in `Float`.
  var rounded: PathStop<Float> { PathStop<Float>(states: states.floats, logDeterminants: logDeterminants) }
}

extension DensityPaths {
  /// - Parameter start: the base's log-densities of the samples, `[count]`.
  init(_ stops: [PathStop<Float>], at times: [Double], start: [Double], transform: DataTransform) {
    self.times = times
    states = stops.map {
      SampleMatrix(count: start.count, dimension: transform.dimension, values: transform.inverse($0.states))
    }
    logDensities = stops.map { stop in
      let transformed = transform.logDeterminants(ofLatent: stop.states)
      return start.indices.map { start[$0] - stop.logDeterminants[$0] + transformed[$0] }
    }
  }
}

extension SolverOptions {
  /// These options, with a bound on steps that allows the fixed steps of every interval between `times`. The bound is
  /// meant for one solve, and every interval has its own fixed steps.
  func allowingFixedSteps(between times: [Double]) -> SolverOptions {
    guard case .fixed(let steps) = control else { return self }
    var options = self
    options.maximumSteps = max(maximumSteps, steps * (times.count + 1))
    return options
  }
}
