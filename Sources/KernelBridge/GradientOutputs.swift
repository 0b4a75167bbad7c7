import CNFKernels

/// The arrays that C writes the derivatives of one loss to.
struct GradientOutputs<Scalar: FlowScalar> {
  private let parameters: OutputArray<Scalar>
  private let states: OutputArray<Scalar>
  private let startTimes: OutputArray<Double>
  private let endTimes: OutputArray<Double>
  private let losses: OutputArray<Double>
  private let outputTimes: OutputArray<Double>
  private let context: OutputArray<Scalar>

  init(
    parameterCount: Int, count: Int, dimension: Int, times: Int, contextDimension: Int, givesLosses: Bool
  ) {
    parameters = OutputArray(repeating: 0, count: parameterCount)
    states = OutputArray(repeating: 0, count: count * dimension)
    startTimes = OutputArray(repeating: 0, count: count)
    endTimes = OutputArray(repeating: 0, count: count)
    losses = OutputArray(repeating: 0, count: givesLosses ? count : 0)
    outputTimes = OutputArray(repeating: 0, count: count * times)
    context = OutputArray(repeating: 0, count: count * contextDimension)
  }

  /// Calls `body` with a C struct that points to the arrays. The pointers are valid during the call only.
  func withC<Result>(_ body: (UnsafeMutablePointer<cnf_gradient>) -> Result) -> Result {
    var gradient = cnf_gradient()
    gradient.struct_size = MemoryLayout<cnf_gradient>.size
    gradient.parameters = UnsafeMutableRawPointer(parameters.pointer)
    gradient.x0 = UnsafeMutableRawPointer(states.pointer)
    gradient.t0 = startTimes.pointer
    gradient.t1 = endTimes.pointer
    gradient.loss = losses.pointer
    gradient.times = outputTimes.pointer
    gradient.context = UnsafeMutableRawPointer(context.pointer)
    return withExtendedLifetime(self) { body(&gradient) }
  }

  var fieldGradient: FieldGradient<Scalar> {
    FieldGradient(
      parameters: parameters.array, states: states.array, times: startTimes.array, losses: losses.array,
      context: context.array)
  }

  func gradient(solution: Solution<Scalar>) -> Gradient<Scalar> {
    Gradient(
      parameters: parameters.array, states: states.array, startTimes: startTimes.array, endTimes: endTimes.array,
      losses: losses.array, solution: solution, outputTimes: outputTimes.array, context: context.array)
  }
}
