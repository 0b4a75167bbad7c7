/// How far a flow misses where it began when it goes one way and then back: the solver's error, since the flow itself is
/// invertible; of a discrete flow, which solves nothing, rounding. Figures are over the samples that arrived both ways.
public struct InversionError: Sendable, Equatable {
  public let count: Int
  /// Samples that did not arrive, or not get back.
  public let failed: Int
  /// The largest |difference| of a component of the state, after the transform, where columns are of variance 1 or so.
  public let stateMaximum: Double
  /// Root of the mean of its squares, over samples and components.
  public let stateRootMeanSquare: Double
  /// Of the log-determinants there and back, whose sum is 0 for an exact inverse, in nats.
  public let logDeterminantMaximum: Double
  public let logDeterminantRootMeanSquare: Double
  /// Evaluations of the field per sample, there and back.
  public let evaluationsMean: Double
}

extension ContinuousFlow {
  /// From samples of the data, `[count][D]`, to the base, t = T to 0, and back.
  ///
  /// - Parameters:
  ///   - options: of both solves. A fixed-step method has its error too, but for a reversible one.
  ///   - seed: of Hutchinson's probes, which are the same there and back.
  ///   - identifiers: `[count]`; nil: the rows' numbers.
  ///   - context: `[count][C]`, of a conditional flow; nil: none.
  ///   - scalar: what the states are made of.
  /// - Throws: the backend's error for a refused option. A sample that fails is counted.
  public func inversionError<Scalar: FlowScalar>(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil, scalar: Scalar.Type = Float.self
  ) throws -> InversionError {
    checkContext(context, count: samples.count)
    return try roundTrip(
      latentStates(of: samples).map { Scalar($0) }, from: endTime, to: 0, options: options, backend: backend,
      seed: seed, identifiers: identifiers, context: context)
  }

  /// From samples of the base to the data, t = 0 to T, as `samples` draws them, and back.
  ///
  /// - Parameters: as above; `seed` is of the samples too.
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
  /// Of two solves, the second from where the first arrived.
  init<Scalar: FlowScalar>(from states: [Scalar], there: Solution<Scalar>, back: Solution<Scalar>) {
    self.init(
      from: states, to: back.states, logDeterminants: zip(there.logDeterminants, back.logDeterminants).map { $0 + $1 },
      arrived: there.statuses.indices.filter { there.statuses[$0] == .ok && back.statuses[$0] == .ok },
      evaluations: zip(there.evaluations, back.evaluations).reduce(0) { $0 + $1.0 + $1.1 })
  }

  /// - Parameters:
  ///   - states, ends: where samples began and where they ended, `[count][D]`.
  ///   - logDeterminants: the sums of both ways', `[count]`.
  ///   - arrived: the samples that count.
  ///   - evaluations: of all samples together.
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

/// Sizes of some differences; NaN where there are none.
private struct Misses {
  let maximum: Double
  let rootMeanSquare: Double

  init(_ differences: [Double]) {
    maximum = differences.map { abs($0) }.max() ?? .nan
    let squares = differences.reduce(0) { $0 + $1 * $1 }
    rootMeanSquare = differences.isEmpty ? .nan : (squares / Double(differences.count)).squareRoot()
  }
}
