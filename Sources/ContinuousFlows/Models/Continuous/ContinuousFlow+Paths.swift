/// Particles on their way from the base to the data, with the density that there is around each.
public struct DensityPaths: Sendable, Equatable {
  /// Rising, in 0 ... T.
  public let times: [Double]
  /// In the space of the data, one matrix `[count][D]` for each time.
  public let states: [SampleMatrix]
  /// `log p_t` of each particle in nats, in the same space, `[times][count]`: at T its log-density under the flow.
  public let logDensities: [[Double]]
}

/// States between the base and the data are shown through the data's transform too, so that the base appears as the Gaussian of
/// the data's shift and scale. One solve meets all times.
extension ContinuousFlow {
  /// The particles that `samples` would draw, at each of `times`, in the space of the data: `[times][count][D]`.
  ///
  /// - Parameters:
  ///   - times: rising, in 0 ... T.
  ///   - options: fixed steps are so many from each time to the next; steps common to a batch meet no times.
  ///   - context: `[count][C]`, of a conditional flow; nil: none.
  /// - Throws: `SolveFailure` if a particle does not arrive; `KernelError` for a refused option.
  public func paths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions = samplingOptions, backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> [SampleMatrix] {
    var options = options
    options.trace = .none
    let way = try way(count: count, seed: seed, times: times, options: options, backend: backend, context: context)
    return times.indices.map {
      SampleMatrix(count: count, dimension: dimension, values: transform.inverse(way.states(at: $0)))
    }
  }

  /// The particles that `samplesWithLogDensities` would draw, at each of `times`, with the log-density of the flow's distribution
  /// at that time where they are.
  ///
  /// `log p_t(x(t)) = log p₀(x(0)) − ∫₀ᵗ tr(∂f/∂x) ds`: the density along a particle's path needs no other particle
  /// (Chen et al. 2018, arXiv 1806.07366, theorem 1).
  ///
  /// - Parameters:
  ///   - times: rising, in 0 ... T.
  ///   - options: as for `paths`; with a Hutchinson trace log-densities are estimates.
  ///   - context: `[count][C]`, of a conditional flow; nil: none.
  /// - Throws: as `paths`.
  public func logDensityPaths(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> DensityPaths {
    let way = try way(count: count, seed: seed, times: times, options: options, backend: backend, context: context)
    let start = (0..<count).map { baseLogDensity(way.base.values, $0) }
    var states: [SampleMatrix] = []
    var logDensities: [[Double]] = []
    for time in times.indices {
      let latent = way.states(at: time)
      let transformed = transform.logDeterminants(ofLatent: latent)
      states.append(SampleMatrix(count: count, dimension: dimension, values: transform.inverse(latent)))
      logDensities.append((0..<count).map { start[$0] - way.logDeterminant(of: $0, at: time) + transformed[$0] })
    }
    return DensityPaths(times: times, states: states, logDensities: logDensities)
  }

  private func way(
    count: Int, seed: UInt64, times: [Double], options: SolverOptions, backend: Backend, context: SampleMatrix?
  ) throws -> Way {
    precondition(
      zip(times, times.dropFirst()).allSatisfy { $0 <= $1 } && times.allSatisfy { (0...endTime).contains($0) },
      "times have to rise within 0 ... \(endTime)")
    checkContext(context, count: count)
    var options = options
    // Of each interval its own: the bound is meant for one solve from 0 to T.
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
    return Way(base: base, solution: solution, timeCount: times.count)
  }

  /// A solve through times, sample by sample as the solver gives it.
  private struct Way {
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
