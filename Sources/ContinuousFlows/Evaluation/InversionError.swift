/// The error of a round trip through a flow: the solver's error, since the exact flow is invertible; for a discrete
/// flow, rounding. Figures are over the samples whose two solves succeeded.
public struct InversionError: Sendable, Equatable {
  public let count: Int
  /// Number of samples with a failed solve.
  public let failed: Int
  /// The largest |difference| in a component of the state, in the space after the transform, where columns usually have
  /// variance 1.
  public let stateMaximum: Double
  /// Root mean square of the differences, over samples and components.
  public let stateRootMeanSquare: Double
  /// The largest |sum| of the two log-determinants, which is 0 for an exact inverse, in nats.
  public let logDeterminantMaximum: Double
  public let logDeterminantRootMeanSquare: Double
  /// Mean number of evaluations of the field per sample, in both directions together.
  public let evaluationsMean: Double
}

extension ContinuousFlow {
  /// The error of a round trip from samples of the data, `[count][D]`, to the base (t = T to 0) and back.
  ///
  /// - Parameters:
  ///   - options: of both solves. A fixed-step method has an inversion error too, unless it is reversible.
  ///   - seed: the seed of Hutchinson's probes, which are the same in both directions.
  ///   - identifiers: `[count]`; nil means the row numbers.
  ///   - context: `[count][C]`, for a conditional flow; nil means none.
  ///   - scalar: the type of the states, `Float` or `Double`.
  /// - Throws: the backend's error for a refused option. A sample whose solve fails is counted as failed.
  public func inversionError<Scalar: FlowScalar>(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil, scalar: Scalar.Type = Float.self
  ) throws -> InversionError {
    checkContext(context, count: samples.count)
    return try roundTrip(
      latentStates(of: samples).map { Scalar($0) }, from: endTime, to: 0, options: options, backend: backend,
      seed: seed, identifiers: identifiers, context: context)
  }

  /// The error of a round trip from samples of the base, as `samples` draws them, to the data (t = 0 to T) and back.
  ///
  /// - Parameters: as above; `seed` keys the samples as well.
  /// - Throws: as above.
  public func inversionErrorOfSamples<Scalar: FlowScalar>(
    count: Int, seed: UInt64, options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil, scalar: Scalar.Type = Float.self
  ) throws -> InversionError {
    checkContext(context, count: count)
    return try roundTrip(
      baseSamples(count: count, seed: seed).values.map { Scalar($0) }, from: 0, to: endTime, options: options,
      backend: backend, seed: seed, identifiers: nil, context: context)
  }

  private func roundTrip<Scalar: FlowScalar>(
    _ states: [Scalar], from start: Double, to end: Double, options: SolverOptions, backend: Backend, seed: UInt64,
    identifiers: [UInt64]?, context: SampleMatrix?
  ) throws -> InversionError {
    let solver = try makeSolver(program: program, options: options, backend: backend, scalar: Scalar.self)
    var problem = SolveProblem(
      parameters: parameters.map { Scalar($0) }, states: states, from: start, to: end, seed: seed,
      sampleIdentifiers: identifiers, context: seenContext(context?.values ?? []).map { Scalar($0) })
    let there = try solver.solve(problem)
    (problem.states, problem.startTime, problem.endTime) = (there.states, end, start)
    return InversionError(from: states, there: there, back: try solver.solve(problem))
  }
}

extension InversionError {
  /// From two solves, the second starting where the first ended.
  init<Scalar: FlowScalar>(from states: [Scalar], there: Solution<Scalar>, back: Solution<Scalar>) {
    self.init(
      from: states, to: back.states, logDeterminants: zip(there.logDeterminants, back.logDeterminants).map { $0 + $1 },
      arrived: there.statuses.indices.filter { there.statuses[$0] == .ok && back.statuses[$0] == .ok },
      evaluations: zip(there.evaluations, back.evaluations).reduce(0) { $0 + $1.0 + $1.1 })
  }

  /// - Parameters:
  ///   - states, ends: initial and final states of the round trip, `[count][D]`.
  ///   - logDeterminants: the sums over both directions, `[count]`.
  ///   - arrived: the samples that count, those whose solves succeeded.
  ///   - evaluations: number of evaluations of all samples together.
  init<Scalar: FlowScalar>(
    from states: [Scalar], to ends: [Scalar], logDeterminants: [Double], arrived: [Int], evaluations: Int
  ) {
    let count = logDeterminants.count
    let dimension = count == 0 ? 0 : states.count / count
    let rows = arrived.flatMap { $0 * dimension..<($0 + 1) * dimension }
    let misses = Misses(rows.map { Double(ends[$0]) - Double(states[$0]) })
    let sums = Misses(arrived.map { logDeterminants[$0] })
    self.init(
      count: count, failed: count - arrived.count, stateMaximum: misses.maximum,
      stateRootMeanSquare: misses.rootMeanSquare, logDeterminantMaximum: sums.maximum,
      logDeterminantRootMeanSquare: sums.rootMeanSquare,
      evaluationsMean: count == 0 ? .nan : Double(evaluations) / Double(count))
  }
}

/// Largest and root mean square of some differences; NaN if there are none.
private struct Misses {
  let maximum: Double
  let rootMeanSquare: Double

  init(_ differences: [Double]) {
    maximum = differences.map { abs($0) }.max() ?? .nan
    let squares = differences.reduce(0) { $0 + $1 * $1 }
    rootMeanSquare = differences.isEmpty ? .nan : (squares / Double(differences.count)).squareRoot()
  }
}
