/// Samples on their path from the base to the data, with the log-density at every time.
public struct DensityPaths: Sendable, Equatable {
  /// Rising times in 0 ... T.
  public let times: [Double]
  /// The samples in the space of the data, one matrix `[count][D]` for each time.
  public let states: [SampleMatrix]
  /// `log p_t` of each sample in nats, in the same space, `[times][count]`; at T this is its log-density under the
  /// flow.
  public let logDensities: [[Double]]
}

/// Paths of samples. States at every time go through the data's transform as well, so the base appears as a Gaussian
/// with the data's shift and scale. One solve gives all times.
extension ContinuousFlow {
  /// The samples that `samples(count:seed:)` draws, at each of `times`, in the space of the data: `[times][count][D]`.
  ///
  /// - Parameters:
  ///   - times: rising, in 0 ... T.
  ///   - options: the number of fixed steps counts from each time to the next; step control of the whole batch refuses
  ///     output times.
  ///   - context: `[count][C]`, for a conditional flow; nil means none.
  /// - Throws: `SolveFailure` if a sample's solve fails; `KernelError` for a refused option.
  public func paths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions = samplingOptions, backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> [SampleMatrix] {
    var options = options
    options.trace = .none
    let path = try pathSolution(
      count: count, seed: seed, times: times, options: options, backend: backend, context: context)
    return times.indices.map {
      SampleMatrix(count: count, dimension: dimension, values: transform.inverse(path.states(at: $0)))
    }
  }

  /// The samples that `samplesWithLogDensities` draws, at each of `times`, with the log-density of the flow's
  /// distribution at that time and place.
  ///
  /// `log p_t(x(t)) = log p₀(x(0)) − ∫₀ᵗ tr(∂f/∂x) ds`: the density along a sample's path needs no other sample (Chen
  /// et al. 2018, arXiv 1806.07366, theorem 1).
  ///
  /// - Parameters:
  ///   - times: rising, in 0 ... T.
  ///   - options: as for `paths`; with a Hutchinson trace the log-densities are estimates.
  ///   - context: `[count][C]`, for a conditional flow; nil means none.
  /// - Throws: as `paths`.
  public func logDensityPaths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> DensityPaths {
    let path = try pathSolution(
      count: count, seed: seed, times: times, options: options, backend: backend, context: context)
    let start = (0..<count).map { baseLogDensity(path.base.values, $0) }
    var states: [SampleMatrix] = []
    var logDensities: [[Double]] = []
    for time in times.indices {
      let latent = path.states(at: time)
      let transformed = transform.logDeterminants(ofLatent: latent)
      states.append(SampleMatrix(count: count, dimension: dimension, values: transform.inverse(latent)))
      logDensities.append((0..<count).map { start[$0] - path.logDeterminant(of: $0, at: time) + transformed[$0] })
    }
    return DensityPaths(times: times, states: states, logDensities: logDensities)
  }

  private func pathSolution(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions, backend: Backend, context: SampleMatrix?
  ) throws -> PathSolution {
    precondition(
      zip(times, times.dropFirst()).allSatisfy { $0 <= $1 } && times.allSatisfy { (0...endTime).contains($0) },
      "times have to rise within 0 ... \(endTime)")
    checkContext(context, count: count)
    var options = options
    // The bound is meant for one solve from 0 to T, and every interval has its own fixed steps.
    if case .fixed(let steps) = options.control {
      options.maximumSteps = max(options.maximumSteps, steps * (times.count + 1))
    }
    let base = baseSamples(count: count, seed: seed)
    let solver = try makeSolver(program: program, options: options, backend: backend, scalar: Float.self)
    let solution = try solver.solve(
      SolveProblem(
        parameters: parameters, states: base.values, from: 0, to: times.last ?? 0, seed: seed, outputTimes: times,
        context: seenContext(context?.values ?? [])))
    try SolveFailure.check(solution)
    return PathSolution(base: base, solution: solution, timeCount: times.count)
  }

  /// A solve with output times, in the solver's sample-major order.
  private struct PathSolution {
    let base: SampleMatrix
    let solution: Solution<Float>
    let timeCount: Int

    /// `[count][D]`.
    func states(at time: Int) -> [Float] {
      (0..<base.count).flatMap { sample in
        let first = (sample * timeCount + time) * base.dimension
        return solution.statesAtTimes[first..<first + base.dimension]
      }
    }

    func logDeterminant(of sample: Int, at time: Int) -> Double {
      solution.logDeterminantsAtTimes[sample * timeCount + time]
    }
  }
}
