/// How far a flow moves the samples of its base, and how straight their paths are.
///
/// For a path x(t), 0 ≤ t ≤ T, with displacement d = x(T) − x(0) and velocity v: `T ∫ |v|² dt = |d|² + T ∫ |v − d/T|²
/// dt`. So the action is at least the squared displacement, with equality for straight lines at constant speed. The
/// mean squared displacement of a map between two distributions is at least their W₂², with equality for optimal
/// transport (Benamou, Brenier 2000, "A computational fluid mechanics solution to the Monge-Kantorovich mass transfer
/// problem", Numerische Mathematik 84).
public struct TransportReport: Sendable, Equatable {
  /// Mean |x(T) − x(0)|², in the flow's space, before the data's transform.
  public let squaredDisplacement: Double
  /// Mean T ∫ |v|² dt.
  public let action: Double
  /// Mean number of evaluations of the field per sample.
  public let evaluationsMean: Double

  /// The part of the action that is due to curves and changes of speed: 0 for straight lines at constant speed.
  public var crookedness: Double { action > 0 ? max(0, 1 - squaredDisplacement / action) : 0 }
}

extension ContinuousFlow {
  /// Measures the transport of `count` samples of the base to t = T.
  ///
  /// - Parameter options: as for sampling, without a trace. The kinetic energy is integrated with the states, outside
  ///   the error norm.
  /// - Throws: `SolveFailure` if a sample's solve fails; `KernelError` for a refused option.
  public func transportReport(
    count: Int, seed: UInt64, options: SolverOptions = samplingOptions, backend: Backend = .c
  ) throws -> TransportReport {
    var options = options.withoutTrace
    options.integratesKineticEnergy = true
    let solver = try makeSolver(program: program, options: options, backend: backend, scalar: Float.self)
    let start = baseSamples(count: count, seed: seed).values
    let solution = try solver.solve(SolveProblem(parameters: parameters, states: start, from: 0, to: endTime))
    try SolveFailure.check(solution)
    let squares = zip(start, solution.states).reduce(0.0) { sum, pair in
      let change = Double(pair.1) - Double(pair.0)
      return sum + change * change
    }
    // The solver's kinetic energy is ½ mean over D rows.
    let kinetic = solution.kineticEnergies.reduce(0, +) / Double(count)
    return TransportReport(
      squaredDisplacement: squares / Double(count), action: 2 * Double(dimension) * endTime * kinetic,
      evaluationsMean: Double(solution.evaluations.reduce(0, +)) / Double(count))
  }
}
