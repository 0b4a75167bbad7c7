import NeuralODE

/// Times a training step of a workload: the mean negative log-likelihood of a batch under a standard normal base, and
/// its gradient by all parameters.
public struct TrainingStepBenchmark: Sendable {
  public let workload: Workload
  public let integration: Integration
  /// Number of samples of the step.
  public let batch: Int

  /// The expected result: the C kernels' loss and gradient in Double.
  public struct Reference: Sendable {
    let loss: Double
    let gradient: [Double]
  }

  private let program: FieldProgram
  private let parameters: [Float]
  private let states: [Float]

  /// - Parameter batch: at least 1.
  public init(_ workload: Workload, _ integration: Integration, batch: Int) throws {
    precondition(batch >= 1, "a batch of \(batch)")
    self.workload = workload
    self.integration = integration
    self.batch = batch
    program = workload.program
    parameters = try workload.parameters()
    states = try workload.states(count: batch)
  }

  public func reference(threads: Int) throws -> Reference {
    let solver = try KernelSolver<Double>(program: program, options: integration.options(threads: threads))
    let gradient = try solver.gradient(of: loss(), at: problem())
    try SolveFailure.check(gradient.solution)
    return Reference(loss: gradient.losses.reduce(0, +), gradient: gradient.parameters)
  }

  /// Runs the step in Float for about `seconds`, and at least three times, after one run whose result is checked.
  ///
  /// - Throws: `BenchmarkError` if the result differs from the reference; `SolveFailure` if a sample's solve fails.
  public func measure(
    backend: Backend, instructionSet: InstructionSet = .automatic, precision: Precision = .full, threads: Int,
    seconds: Double, against reference: Reference
  ) throws -> TrainingStepMeasurement {
    var options = integration.options(threads: threads)
    options.precision = precision
    let solver: any FieldSolver<Float> =
      switch backend {
      case .c: try KernelSolver<Float>(program: program, options: options, isa: instructionSet)
      case .swift: try makeSolver(program: program, options: options, backend: .swift)
      }
    return try measure(solver, backend, threads, seconds, reference)
  }

  private func measure(
    _ solver: some FieldSolver<Float>, _ backend: Backend, _ threads: Int, _ seconds: Double, _ reference: Reference
  ) throws -> TrainingStepMeasurement {
    let loss: Loss<Float> = loss()
    let problem: SolveProblem<Float> = problem()
    let first = try solver.gradient(of: loss, at: problem)
    try SolveFailure.check(first.solution)
    let agreement = Agreement(of: first, with: reference)
    guard agreement.isWithin(tolerance(solver.options.precision)) else {
      throw BenchmarkError.wrongResult(step: "\(self) by \(backend)", agreement)
    }
    let timing = try Timing(seconds: seconds) { _ = try solver.gradient(of: loss, at: problem) }
    return TrainingStepMeasurement(
      benchmark: self, backend: backend, precision: solver.options.precision, threads: threads, timing: timing,
      loss: first.losses.reduce(0, +),
      agreement: agreement, evaluations: first.solution.evaluations.reduce(0, +))
  }

  /// Allowed relative difference of the first result from the reference. In mixed precision a product has an error of
  /// up to 2⁻⁹ for each operand. A gradient takes one product of tangents and one of cotangents for each hidden layer,
  /// and one of its own.
  private func tolerance(_ precision: Precision) -> Double {
    switch precision {
    case .full: integration.tolerance
    case .mixed: Double(2 * workload.hidden.count + 1) * 2 * 0x1p-9
    }
  }

  private func loss<Scalar>() -> Loss<Scalar> {
    .standardNormalNegativeLogLikelihood(scale: 1 / Double(batch))
  }

  private func problem<Scalar: FlowScalar>() -> SolveProblem<Scalar> {
    SolveProblem(parameters: parameters.map { Scalar($0) }, states: states.map { Scalar($0) }, from: 1, to: 0)
  }
}

extension TrainingStepBenchmark: CustomStringConvertible {
  public var description: String { "\(workload.name) (\(workload.layers), batch \(batch), \(integration.rawValue))" }
}
