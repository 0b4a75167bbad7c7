import CNFKernels

/// The arrays that C writes one loss's derivatives to.
struct GradientOutputs<Scalar: FlowScalar> {
  private var parameters: [Scalar]
  private var states: [Scalar]
  private var startTimes: [Double]
  private var endTimes: [Double]
  private var losses: [Double]

  init(parameterCount: Int, count: Int, dimension: Int, givesLosses: Bool) {
    parameters = Array(repeating: 0, count: parameterCount)
    states = Array(repeating: 0, count: count * dimension)
    startTimes = Array(repeating: 0, count: count)
    endTimes = startTimes
    losses = givesLosses ? startTimes : []
  }

  /// Calls `body` with the arrays as C writes them; the pointers live as long as the call.
  mutating func withC<Result>(_ body: (UnsafeMutablePointer<cnf_gradient>) -> Result) -> Result {
    var gradient = cnf_gradient()
    gradient.struct_size = MemoryLayout<cnf_gradient>.size
    return parameters.withUnsafeMutableBytes { parameters in
      gradient.parameters = parameters.baseAddress
      return states.withUnsafeMutableBytes { states in
        gradient.x0 = states.baseAddress
        return startTimes.withUnsafeMutableBufferPointer { startTimes in
          gradient.t0 = startTimes.baseAddress
          return endTimes.withUnsafeMutableBufferPointer { endTimes in
            gradient.t1 = endTimes.baseAddress
            return losses.withUnsafeMutableBufferPointer { losses in
              gradient.loss = losses.isEmpty ? nil : losses.baseAddress
              return body(&gradient)
            }
          }
        }
      }
    }
  }

  consuming func gradient(solution: Solution<Scalar>) -> Gradient<Scalar> {
    Gradient(
      parameters: parameters, states: states, startTimes: startTimes, endTimes: endTimes, losses: losses,
      solution: solution)
  }
}
