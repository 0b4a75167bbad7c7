import ContinuousFlows

/// Uses a flow as a map: forward and back, and its log-determinant by the trace and by the Jacobian. Both errors fall
/// with the tolerance.
func changeOfVariables() throws {
  var flow = ContinuousFlow(dimension: 3, hidden: [16, 16], activation: .tanh, seed: 1)
  flow.parameters = flow.parameters.map { 3 * $0 }
  let points = SampleMatrix(flow.baseSamples(count: 20, seed: 0))

  for tolerance in [1e-3, 1e-6, 1e-9] {
    let options = SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance))
    let error = try flow.inversionError(of: points, options: options, scalar: Double.self)
    let jacobians = try flow.jacobians(of: points, options: options)
    print(
      "tolerance \(tolerance): forward and back, the state differs by \(error.stateMaximum); "
        + "trace and determinant differ by \(jacobians.largestDifference)")
  }

  // Log-densities of two samples at several times on the way from base to data, in one solve.
  let paths = try flow.logDensityPaths(count: 2, seed: 0, times: [0, 0.5, 1])
  for (time, logDensities) in zip(paths.times, paths.logDensities) {
    print("log p of two samples at t = \(time): \(logDensities)")
  }
}
