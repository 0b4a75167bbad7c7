/// The flow from data to base as the map that the solver's steps make, with its Jacobians: what the trace's integral is to be
/// compared with.
///
/// An ODE's log-density is that of the instantaneous change of variables, `d log p / dt = −tr ∂f/∂x`; that of a map z(x) is
/// `log p₀(z) + log |det ∂z/∂x|`. For the exact flow they are equal (Chen et al. 2018, arXiv 1806.07366, theorem 1); for a solver
/// of order p they differ by O(hᵖ), as much as the trace's quadrature is off for the map that the steps are.
public struct FlowJacobians: Sendable, Equatable {
  /// D.
  public let dimension: Int
  /// z(0), `[count][D]`; of a failed sample where it stopped.
  public let latent: [Double]
  /// `∂z(0)/∂z(T)`, `[count][D][D]`, row i being of component i of z(0); NaN for a failed sample.
  public let jacobians: [Double]
  /// `log |det|` of these, by LU, `[count]`.
  public let logDeterminants: [Double]
  /// The same by the ODE, the trace's integral from T to 0, `[count]`.
  public let integratedLogDeterminants: [Double]
  /// `log p(x)` by the Jacobian, in nats, in the space of the data, `[count]`; NaN for a failed sample.
  public let logDensities: [Double]
  /// `log p(x)` by the trace's integral, likewise.
  public let integratedLogDensities: [Double]
  public let statuses: [SampleStatus]

  /// The largest |difference| of the two log-determinants over samples that arrived; NaN without such.
  public var largestDifference: Double {
    statuses.indices.filter { statuses[$0] == .ok }
      .map { abs(logDeterminants[$0] - integratedLogDeterminants[$0]) }.max() ?? .nan
  }

  /// Of one sample, `[D][D]`.
  public func jacobian(of sample: Int) -> [Double] {
    Array(jacobians[sample * dimension * dimension..<(sample + 1) * dimension * dimension])
  }
}

extension ContinuousFlow {
  /// Jacobians of the way from data to base, in Double: D solves and their reverses, each of which gives a row for all samples.
  ///
  /// They are of the steps that are taken, places of steps held fixed. (Columns, by tangents carried through the solve, would
  /// want a field of 2D rows whose second half is the Jacobian of the first times them: no field program says that.)
  ///
  /// - Parameters:
  ///   - samples: `[count][D]`, in the space of the data.
  ///   - options: of a method with a discrete gradient, of the trace that is to be compared.
  ///   - identifiers: `[count]`; nil: the rows' numbers.
  ///   - context: `[count][C]`, of a conditional flow; nil: none.
  /// - Throws: the backend's error for a refused option. A sample that fails has NaN and its status.
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
    let (dimension, count) = (dimension, samples.count)
    var jacobians = [Double](repeating: .nan, count: count * dimension * dimension)
    let solution = try solver.solve(problem)
    for row in 0..<dimension {
      let gradient = try solver.gradient(of: Self.component(row, of: dimension, count: count), at: problem)
      for sample in 0..<count where solution.statuses[sample] == .ok {
        let place = (sample * dimension + row) * dimension
        jacobians.replaceSubrange(
          place..<place + dimension, with: gradient.states[sample * dimension..<(sample + 1) * dimension])
      }
    }
    return FlowJacobians(jacobians, solution, of: self, transformed: transform.logDeterminants(samples.values))
  }

  /// The sum over samples of one component of where they arrive: its derivative is a row of every sample's Jacobian.
  private static func component(_ row: Int, of dimension: Int, count: Int) -> Loss<Double> {
    var cotangents = [Double](repeating: 0, count: count * dimension)
    for sample in 0..<count { cotangents[sample * dimension + row] = 1 }
    return .cotangents(states: cotangents, logDeterminants: Array(repeating: 0, count: count))
  }
}

extension FlowJacobians {
  fileprivate init(
    _ jacobians: [Double], _ solution: Solution<Double>, of flow: ContinuousFlow, transformed: [Double]
  ) {
    let (dimension, size) = (flow.dimension, flow.dimension * flow.dimension)
    let logDeterminants = solution.statuses.indices.map {
      logAbsoluteDeterminant(of: Array(jacobians[$0 * size..<($0 + 1) * size]), order: dimension)
    }
    let starts = solution.statuses.indices.map { sample -> Double in
      guard solution.statuses[sample] == .ok else { return .nan }
      return transformed[sample]
        + flow.base.logDensity(solution.states[sample * dimension..<(sample + 1) * dimension])
    }
    self.init(
      dimension: dimension, latent: solution.states, jacobians: jacobians, logDeterminants: logDeterminants,
      integratedLogDeterminants: solution.logDeterminants, logDensities: zip(starts, logDeterminants).map { $0 + $1 },
      integratedLogDensities: zip(starts, solution.logDeterminants).map { $0 + $1 }, statuses: solution.statuses)
  }
}
