import CNFKernels
import Synchronization

/// A `FieldSolver` that runs the C kernels, for `Float` and `Double`.
///
/// A solver serves one call at a time, so calls from several threads wait for each other. Give each thread its own
/// solver to run calls in parallel. Within a call the kernels use `options.threads` threads. The results of a sample
/// are bitwise independent of the other samples and of the number of threads.
public final class KernelSolver<Scalar: FlowScalar>: FieldSolver, Sendable {
  public let program: FieldProgram
  public let options: SolverOptions
  public let resolvedTrace: Trace
  /// The instruction set that the solver uses.
  public let instructionSet: InstructionSet
  /// The number of samples that one tile solves side by side.
  public let laneCount: Int
  /// The number of threads of a call.
  public let threadCount: Int
  /// The allocated memory, in bytes. It does not include the records of steps: their address space is reserved, and
  /// memory is used only when steps are recorded.
  public let bytes: Int
  let handle: Mutex<SolverHandle>

  /// Compiles `program` and allocates the memory for its solves.
  ///
  /// - Throws: `KernelError` if the program or an option is refused, the method is unknown, the machine lacks `isa`, or
  ///   memory is short.
  public init(
    program: FieldProgram, options: SolverOptions = SolverOptions(), isa: InstructionSet = .automatic
  ) throws(KernelError) {
    let field = try FieldHandle(program, Scalar.self)
    let solver = try SolverHandle(
      field: field, options: try options.c(instructionSet: isa, stateDimension: program.stateDimension),
      relativeTolerances: options.relativeTolerances, absoluteTolerances: options.absoluteTolerances,
      context: "solver (\(options.method), \(options.control), trace \(options.trace.rawValue), instruction set \(isa))"
        + program.callbackNames
    )
    let info = solver.info
    self.program = program
    self.options = options
    resolvedTrace = CType.trace(info.trace)
    instructionSet = InstructionSet(rawValue: info.isa) ?? .generic
    laneCount = Int(info.lanes)
    threadCount = Int(info.threads)
    bytes = info.bytes
    handle = Mutex(solver)
  }

  public func solve(_ problem: SolveProblem<Scalar>) throws(KernelError) -> Solution<Scalar> {
    try outputs(of: problem, fractionStride: 0).solution()
  }

  /// For every sample, the start and the ends of its accepted steps as fractions of its time interval.
  ///
  /// They run from 0 to 1 if the status of the sample is ok. A fixed-step problem with one sample's fractions as its
  /// `stepFractions` repeats the steps of that sample. This method solves twice, because the number of steps is unknown
  /// before the first solve.
  public func acceptedStepFractions(_ problem: SolveProblem<Scalar>) throws(KernelError) -> [[Double]] {
    precondition(
      problem.outputTimes.isEmpty && problem.sampleOutputTimes == nil,
      "step fractions need a problem without output times")
    let accepted = try outputs(of: problem, fractionStride: 0).accepted
    let stride = Int(accepted.max() ?? 0) + 1
    let fractions = try outputs(of: problem, fractionStride: stride).fractions
    return accepted.enumerated().map { sample, steps in
      Array(fractions[sample * stride..<sample * stride + Int(steps) + 1])
    }
  }

  public func gradient(
    of loss: Loss<Scalar>, regularisation: Regularisation, at problem: SolveProblem<Scalar>
  ) throws(KernelError) -> Gradient<Scalar> {
    problem.checkShapes(program: program, probeCount: options.probeCount)
    let dimension = program.stateDimension
    let count = problem.count(dimension: dimension)
    let times = problem.outputTimeCount(sampleCount: count)
    loss.checkShapes(count: count, dimension: dimension, times: times)
    let outputs = SolveOutputs<Scalar>(
      count: count, dimension: dimension, options: options, times: times, hasEvents: !problem.events.isEmpty)
    let gradients = GradientOutputs<Scalar>(
      parameterCount: program.parameterCount, count: count, dimension: dimension, times: times,
      contextDimension: program.contextDimension, givesLosses: loss.givesLosses)
    let status = handle.withLock { handle in
      problem.withC(dimension: dimension) { input in
        loss.withC(regularisation, dimension: dimension) { loss in
          outputs.withC { output in
            gradients.withC { cnf_solve_vjp(handle.pointer, input, loss, output, $0) }
          }
        }
      }
    }
    try KernelError.check(status, context("gradient", problem, count))
    return gradients.gradient(solution: outputs.solution())
  }

  public func evaluate(
    _ problem: SolveProblem<Scalar>
  ) throws(KernelError) -> (velocities: [Scalar], divergences: [Double]) {
    problem.checkShapes(program: program, probeCount: options.probeCount)
    let dimension = program.stateDimension
    let count = problem.count(dimension: dimension)
    var velocities = [Scalar](repeating: 0, count: count * dimension)
    var divergences = [Double](repeating: 0, count: count)
    let status = handle.withLock { handle in
      problem.withC(dimension: dimension) { input in
        velocities.withUnsafeMutableBytes { velocities in
          divergences.withUnsafeMutableBufferPointer { divergences in
            cnf_solver_evaluate(handle.pointer, input, velocities.baseAddress, divergences.baseAddress)
          }
        }
      }
    }
    try KernelError.check(status, context("evaluation", problem, count))
    return (velocities, divergences)
  }

  public func gradient(
    of loss: Loss<Scalar>, at problem: SolveProblem<Scalar>
  ) throws(KernelError) -> Gradient<Scalar> {
    try gradient(of: loss, regularisation: .none, at: problem)
  }

  func outputs(
    of problem: SolveProblem<Scalar>, fractionStride: Int = 0, denseTerms: Int = 0, denseStride: Int = 0
  ) throws(KernelError) -> SolveOutputs<Scalar> {
    problem.checkShapes(program: program, probeCount: options.probeCount)
    let dimension = program.stateDimension
    let count = problem.count(dimension: dimension)
    let outputs = SolveOutputs<Scalar>(
      count: count, dimension: dimension, options: options, times: problem.outputTimeCount(sampleCount: count),
      fractionStride: fractionStride, hasEvents: !problem.events.isEmpty, denseTerms: denseTerms,
      denseStride: denseStride)
    let status = handle.withLock { handle in
      problem.withC(dimension: dimension) { input in
        outputs.withC { cnf_solve(handle.pointer, input, $0) }
      }
    }
    try KernelError.check(status, context("solve", problem, count))
    return outputs
  }

  func context(_ call: String, _ problem: SolveProblem<Scalar>, _ count: Int) -> String {
    let start = problem.startTimes == nil ? "\(problem.startTime)" : "the start time of each sample"
    let end = problem.endTimes == nil ? "\(problem.endTime)" : "the end time of each sample"
    return "\(call) of \(count) samples of \(program.stateDimension) rows from t = \(start) to \(end)"
      + program.callbackNames
  }
}

extension FieldProgram {
  /// The names of the callbacks, for an error message that one of them may have caused.
  fileprivate var callbackNames: String {
    let names = callbackLayouts.map { "'\($0.callback.name)'" }
    return names.isEmpty ? "" : ", callbacks " + names.joined(separator: ", ")
  }
}
