/// The map from data to base that the solver's steps make, with its Jacobians, to compare with the integral of the
/// trace.
///
/// The log-density of an ODE follows from the instantaneous change of variables, `d log p / dt = −tr ∂f/∂x`; that of a
/// map z(x) is `log p₀(z) + log |det ∂z/∂x|`. For the exact flow they are equal (Chen et al. 2018, arXiv 1806.07366,
/// theorem 1). For a solver of order p they differ by O(hᵖ), because the quadrature of the trace is not exact for the
/// map that the steps make. The log-determinants of a discrete flow differ only by rounding.
public struct FlowJacobians: Sendable, Equatable {
  /// D.
  public let dimension: Int
  /// z(0), `[count][D]`; for a failed sample the state at which it stopped.
  public let latent: [Double]
  /// `∂z(0)/∂z(T)`, `[count][D][D]`, with row i for component i of z(0); NaN for a failed sample.
  public let jacobians: [Double]
  /// `log |det|` of the Jacobians by LU, `[count]`.
  public let logDeterminants: [Double]
  /// The same from the ODE, as the integral of the trace from T to 0, `[count]`; for a discrete flow the sum over its
  /// layers.
  public let integratedLogDeterminants: [Double]
  /// `log p(x)` in nats from the Jacobian, in the space of the data, `[count]`; NaN for a failed sample.
  public let logDensities: [Double]
  /// `log p(x)` in nats from the integral of the trace, in the same form.
  public let integratedLogDensities: [Double]
  public let statuses: [SampleStatus]

  /// The largest |difference| of the two log-determinants over samples that arrived; NaN if none did.
  public var largestDifference: Double {
    statuses.indices.filter { statuses[$0] == .ok }
      .map { abs(logDeterminants[$0] - integratedLogDeterminants[$0]) }.max() ?? .nan
  }

  /// The Jacobian of one sample, `[D][D]`.
  public func jacobian(of sample: Int) -> [Double] {
    Array(jacobians[sample * dimension * dimension..<(sample + 1) * dimension * dimension])
  }
}

extension ContinuousFlow {
  /// Jacobians of the map from data to base in Double: D solves with a backward pass each, which give one row for all
  /// samples.
  ///
  /// These are derivatives of the steps taken, with step positions held fixed. (Columns by forward tangents would need
  /// a field of 2D rows whose second half is the Jacobian of the first times the tangents; no field program expresses
  /// that.)
  ///
  /// - Parameters:
  ///   - samples: `[count][D]`, in the space of the data.
  ///   - options: a method with a discrete gradient, and the trace to compare.
  ///   - identifiers: `[count]`; nil means the row numbers.
  ///   - context: `[count][C]`, for a conditional flow; nil means none.
  /// - Throws: the backend's error for a refused option. A failed sample has NaN and its status.
  public func jacobians(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> FlowJacobians {
    checkContext(context, count: samples.count)
    let solver = try makeSolver(program: program, options: options, backend: backend, scalar: Double.self)
    let problem = SolveProblem(
      parameters: parameters.map { Double($0) }, states: latentStates(of: samples).map { Double($0) },
      from: endTime, to: 0, seed: seed, sampleIdentifiers: identifiers,
      context: seenContext(context?.values ?? []).map { Double($0) })
    let solution = try solver.solve(problem)
    return FlowJacobians(
      try solver.jacobians(at: problem, of: solution, dimension: dimension), latent: solution.states,
      integrated: solution.logDeterminants, statuses: solution.statuses, base: base,
      transformed: transform.logDeterminants(samples.values))
  }
}

extension FieldSolver where Scalar == Double {
  /// The Jacobians of `solution`, the solution of `problem`, `[count][D][D]`; NaN for samples that did not arrive.
  func jacobians(
    at problem: SolveProblem<Double>, of solution: Solution<Double>, dimension: Int
  ) throws -> [Double] {
    let count = solution.statuses.count
    let zeros = [Double](repeating: 0, count: count)
    return try jacobianRows(dimension: dimension, arrived: solution.statuses.map { $0 == .ok }) { cotangents in
      try gradient(of: .cotangents(states: cotangents, logDeterminants: zeros), at: problem).states
    }
  }
}

/// Jacobians of a map of `[count][D]`, row by row: the derivative of one output component, summed over samples, gives
/// that row for every sample.
///
/// - Parameter reverse: returns the cotangents of the inputs for given cotangents of the outputs, both `[count][D]`.
/// - Returns: `[count][D][D]`, NaN for samples that did not arrive.
func jacobianRows(
  dimension: Int, arrived: [Bool], reverse: (_ cotangents: [Double]) throws -> [Double]
) rethrows -> [Double] {
  var jacobians = [Double](repeating: .nan, count: arrived.count * dimension * dimension)
  for row in 0..<dimension {
    var cotangents = [Double](repeating: 0, count: arrived.count * dimension)
    for sample in arrived.indices { cotangents[sample * dimension + row] = 1 }
    let rows = try reverse(cotangents)
    for sample in arrived.indices where arrived[sample] {
      let place = (sample * dimension + row) * dimension
      jacobians.replaceSubrange(place..<place + dimension, with: rows[sample * dimension..<(sample + 1) * dimension])
    }
  }
  return jacobians
}

extension FlowJacobians {
  /// - Parameters:
  ///   - integrated: the flow's own log-determinants, `[count]`.
  ///   - transformed: those of the transform.
  init(
    _ jacobians: [Double], latent: [Double], integrated: [Double], statuses: [SampleStatus], base: BaseDistribution,
    transformed: [Double]
  ) {
    let count = statuses.count
    let dimension = count == 0 ? 0 : latent.count / count
    let size = dimension * dimension
    let logDeterminants = statuses.indices.map {
      logAbsoluteDeterminant(of: Array(jacobians[$0 * size..<($0 + 1) * size]), order: dimension)
    }
    let starts = statuses.indices.map { sample -> Double in
      guard statuses[sample] == .ok else { return .nan }
      return transformed[sample] + base.logDensity(latent[sample * dimension..<(sample + 1) * dimension])
    }
    self.init(
      dimension: dimension, latent: latent, jacobians: jacobians, logDeterminants: logDeterminants,
      integratedLogDeterminants: integrated, logDensities: zip(starts, logDeterminants).map { $0 + $1 },
      integratedLogDensities: zip(starts, integrated).map { $0 + $1 }, statuses: statuses)
  }
}
