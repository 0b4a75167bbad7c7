/// A neural ordinary differential equation as a layer of a larger model: `x(t0) ↦ x(t1)` with `dx/dt = f(x, t; θ)`, and
/// the exact derivative of whatever follows it (Chen, Rubanova, Bettencourt and Duvenaud 2018, arXiv 1806.07366).
///
/// ```swift
/// let pass = try layer.forward(states)                // pass.states: x(t1)
/// let gradient = try pass.backward(cotangents)        // of a loss with these ∂L/∂x(t1)
/// optimise(&layer.parameters, gradient.parameters)
/// ```
///
/// The derivative is that of the steps taken, or the adjoint chosen in the options. A sample's states and cotangents do
/// not depend on the others; the gradient of the parameters has the same bits at any number of threads.
public struct NeuralODELayer<Scalar: FlowScalar> {
  public let program: FieldProgram
  /// `θ`, `[P]`.
  public var parameters: [Scalar] {
    didSet { check() }
  }
  public var startTime: Double
  /// May be before `startTime`.
  public var endTime: Double
  private let solver: any FieldSolver<Scalar>

  /// - Parameters:
  ///   - parameters: `[P]`, as many as `program` has.
  ///   - options: method, step control, adjoint and threads; the trace is off.
  /// - Throws: `KernelError` for a refused option.
  public init(
    program: FieldProgram, parameters: [Scalar], from startTime: Double = 0, to endTime: Double = 1,
    options: SolverOptions = SolverOptions(trace: .none), backend: Backend = .c
  ) throws {
    precondition(program.isComplete, "the program's last block does not have \(program.stateDimension) rows")
    var options = options
    options.trace = .none
    self.program = program
    self.parameters = parameters
    self.startTime = startTime
    self.endTime = endTime
    solver = try makeSolver(program: program, options: options, backend: backend)
    check()
  }

  /// The final states of a solve, and the backward pass from them.
  public struct Pass {
    /// x(t1), `[count][D]`.
    public var states: [Scalar] { solution.states }
    /// Counts of steps and evaluations of every sample.
    public let solution: Solution<Scalar>
    fileprivate let solver: any FieldSolver<Scalar>
    fileprivate let problem: SolveProblem<Scalar>
  }

  /// The gradient of a loss of a layer's final states.
  public struct Pullback: Sendable {
    /// `∂L/∂θ`, `[P]`.
    public let parameters: [Scalar]
    /// `∂L/∂x(t0)`, `[count][D]`.
    public let states: [Scalar]
    /// `∂L/∂t0`, summed over samples.
    public let startTime: Double
    /// `∂L/∂t1`, summed over samples.
    public let endTime: Double
  }

  /// Solves from states `[count][D]` at t0 to t1.
  ///
  /// - Parameter context: `[count][C]`, for a field that reads a context.
  /// - Throws: `SolveFailure` for the first sample whose solve fails.
  public func forward(_ states: [Scalar], context: [Scalar] = []) throws -> Pass {
    precondition(
      states.count % program.stateDimension == 0, "\(states.count) numbers in states of \(program.stateDimension)")
    let problem = SolveProblem(
      parameters: parameters, states: states, from: startTime, to: endTime, context: context)
    let solution = try solver.solve(problem)
    try SolveFailure.check(solution)
    return Pass(solution: solution, solver: solver, problem: problem)
  }

  private func check() {
    precondition(
      parameters.count == program.parameterCount,
      "\(parameters.count) parameters for a program that has \(program.parameterCount)")
  }
}

extension NeuralODELayer.Pass {
  /// The gradient of a loss with these cotangents `∂L/∂x(t1)`, `[count][D]`. Solves once more, because the forward pass
  /// stores no steps.
  ///
  /// - Throws: `SolveFailure` if a sample's backward solve fails, which can happen with the continuous adjoint.
  public func backward(_ cotangents: [Scalar]) throws -> NeuralODELayer.Pullback {
    precondition(
      cotangents.count == states.count, "\(cotangents.count) cotangents of \(states.count) numbers of states")
    let gradient = try solver.gradient(
      of: .cotangents(states: cotangents, logDeterminants: Array(repeating: 0, count: solution.statuses.count)),
      at: problem)
    try SolveFailure.check(gradient.solution)
    return NeuralODELayer.Pullback(
      parameters: gradient.parameters, states: gradient.states, startTime: gradient.startTimes.reduce(0, +),
      endTime: gradient.endTimes.reduce(0, +))
  }
}
