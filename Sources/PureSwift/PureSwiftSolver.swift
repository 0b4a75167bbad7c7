import FieldPrograms

/// Solves a field program in Swift alone: an independent reference for the C kernels, in results and in speed.
///
/// The semantics are those of `cnf.h`. Samples are solved in the lanes of tiles, tiles in chunks, chunks on as many
/// threads as the options ask for. A sample's results do not depend on the other samples, on its place in the batch or
/// on the number of threads; gradients do not depend on the number of threads. The solver is immutable: calls may run
/// at the same time.
public final class PureSwiftSolver<Scalar: FlowScalar>: FieldSolver, Sendable {
  public let program: FieldProgram
  public let options: SolverOptions
  public let tableau: ButcherTableau
  public var resolvedTrace: Trace { resolution.trace }

  let plan: FieldPlan
  let resolution: TraceResolution
  let scheme: StepScheme
  /// The starting method of an Adams method, which its continuous adjoint uses.
  let table: StageTable<Scalar>

  /// The Runge-Kutta method that starts Adams methods.
  public static var startingMethod: String { "rk4_38" }

  /// - Parameters:
  ///   - tableau: the tableau of the method that `options` names; this module has no tableaux of its own.
  ///   - startingTableau: the tableau of `startingMethod`; only Adams methods need it.
  /// - Throws: `PureSwiftError` if the program is incomplete, an option is out of range, adaptive steps are asked for
  ///   without an error estimate, or an explicitly chosen trace does not fit the program or the method.
  public init(
    program: FieldProgram, options: SolverOptions, tableau: ButcherTableau, startingTableau: ButcherTableau? = nil
  ) throws {
    scheme = try Self.scheme(of: tableau, options, program)
    let stages = try scheme.isMultistep ? Self.start(startingTableau, for: tableau) : tableau
    try Self.check(program, options, stages)
    self.program = program
    self.options = options
    self.tableau = tableau
    plan = FieldPlan(program)
    resolution = try TraceResolution(program, options, scheme, method: tableau.name)
    table = StageTable(stages)
    try checkCallbacks(isGradient: false)
  }

  public func solve(_ problem: SolveProblem<Scalar>) throws -> Solution<Scalar> {
    let job = try makeJob(problem)
    runSolve(job)
    return job.solution
  }

  public func gradient(
    of loss: Loss<Scalar>, regularisation: Regularisation, at problem: SolveProblem<Scalar>
  ) throws -> Gradient<Scalar> {
    try check(regularisation)
    try check(loss, at: problem)
    try checkCallbacks(isGradient: true)
    let job = try makeJob(problem, loss: loss, regularisation: regularisation)
    let parameters = runGradient(job)
    let hasLoss = if case .cotangents = loss { false } else { true }
    return Gradient(
      parameters: parameters, states: job.stateGradients.array, startTimes: job.startTimeGradients.array,
      endTimes: job.endTimeGradients.array, losses: hasLoss ? job.losses.array : [], solution: job.solution,
      outputTimes: job.outputTimeGradients.array,
      context: job.contextGradients.array)
  }

  public func evaluate(_ problem: SolveProblem<Scalar>) throws -> (velocities: [Scalar], divergences: [Double]) {
    let job = try makeJob(problem)
    runEvaluation(job)
    return (job.states.array, job.logDeterminants.array)
  }

  public func fieldGradient(
    of loss: FieldLoss<Scalar>, at problem: SolveProblem<Scalar>
  ) throws -> FieldGradient<Scalar> {
    let count = problem.states.count / program.stateDimension
    var givesLosses = false
    switch loss {
    case .cotangents(let velocities, let divergences):
      if !velocities.isEmpty { try Self.check("velocities", velocities.count, problem.states.count) }
      if !divergences.isEmpty { try Self.check("divergences", divergences.count, count) }
    case .squaredDistance(let targets, let weights, _):
      try Self.check("targets", targets.count, problem.states.count)
      if let weights { try Self.check("weights", weights.count, count) }
      givesLosses = true
    }
    try checkCallbacks(isGradient: true)
    let job = try makeJob(problem, fieldLoss: loss)
    let parameters = runFieldGradient(job)
    return FieldGradient(
      parameters: parameters, states: job.stateGradients.array, times: job.startTimeGradients.array,
      losses: givesLosses ? job.losses.array : [], context: job.contextGradients.array)
  }

  /// The ends of every sample's accepted steps, as fractions of the interval from 0 to 1; empty if the sample failed or
  /// took no step. A `.fixed` solve with these `stepFractions` repeats the same steps.
  public func acceptedStepFractions(_ problem: SolveProblem<Scalar>) throws -> [[Double]] {
    precondition(
      problem.outputTimes.isEmpty && problem.sampleOutputTimes == nil,
      "a fixed-step problem of step fractions has no output times")
    let job = try makeJob(problem, keepsFractions: true)
    return runSolve(job)
  }
}
