/// An ordinary differential equation whose field is a neural network, for uses that need no density: `dx/dt = f(x, t;
/// θ)`.
///
/// ```swift
/// let program = FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [32], activation: .tanh)
/// let ode = NeuralODE(program: program, parameters: InitialParameters.uniform(for: program, seed: 0))
/// let endStates = try ode(StateMatrix(count: 1, dimension: 2, values: [1, 0]), from: 0, to: 1)
/// ```
public struct NeuralODE: Sendable, Equatable {
  public let program: FieldProgram
  /// `θ`, `[P]`.
  public var parameters: [Float]
  /// Solver options. The trace is off, because no divergence is needed.
  public var options: SolverOptions
  public var backend: Backend
  /// Times at which the field jumps, rising, such as the start and the end of a pulse. A step ends at each of them, so
  /// that no step passes a pulse unseen. They need adaptive steps and the C kernels.
  public var jumpTimes: [Double]

  /// `parameters` must be as many as `program` has.
  public init(
    program: FieldProgram, parameters: [Float], options: SolverOptions = SolverOptions(trace: .none),
    backend: Backend = .c, jumpTimes: [Double] = []
  ) {
    precondition(program.isComplete, "the program's last block does not have \(program.stateDimension) rows")
    precondition(
      parameters.count == program.parameterCount,
      "\(parameters.count) parameters for a program that has \(program.parameterCount)")
    self.program = program
    self.parameters = parameters
    self.options = options
    self.backend = backend
    self.jumpTimes = jumpTimes
  }

  /// The states `[count][D]` at `endTime` of samples with `states` at `startTime`; `endTime` may be before `startTime`.
  ///
  /// - Throws: `SolveFailure` for the first sample whose solve fails; `KernelError` for a refused option.
  public func callAsFunction(
    _ states: StateMatrix, from startTime: Double, to endTime: Double
  ) throws -> StateMatrix {
    let solution = try solver().solve(problem(states, startTime, endTime))
    try SolveFailure.check(solution)
    return StateMatrix(count: states.count, dimension: states.dimension, values: solution.states)
  }

  /// The gradient of a loss of the states at `endTime`, as the derivative of the steps taken.
  ///
  /// - Parameter cotangents: returns `∂L/∂x(endTime)`, `[count][D]`, for the solution.
  /// - Throws: as `callAsFunction`; `SolveFailure` also if a sample's backward solve fails, which can happen with the
  ///   continuous adjoint; and the errors of `cotangents`.
  public func gradient(
    at states: StateMatrix, from startTime: Double, to endTime: Double,
    cotangents: (StateMatrix) throws -> StateMatrix
  ) throws -> Gradient<Float> {
    let solver = try solver()
    let problem = problem(states, startTime, endTime)
    let solution = try solver.solve(problem)
    try SolveFailure.check(solution)
    let endStates = StateMatrix(count: states.count, dimension: states.dimension, values: solution.states)
    let loss = Loss<Float>.cotangents(
      states: try cotangents(endStates).values, logDeterminants: Array(repeating: 0, count: states.count))
    let gradient = try solver.gradient(of: loss, at: problem)
    try SolveFailure.check(gradient.solution)
    return gradient
  }

  private func solver() throws -> any FieldSolver<Float> {
    try makeSolver(program: program, options: options, backend: backend)
  }

  private func problem(_ states: StateMatrix, _ startTime: Double, _ endTime: Double) -> SolveProblem<Float> {
    precondition(
      states.dimension == program.stateDimension,
      "states of \(states.dimension) numbers for a program over \(program.stateDimension)")
    return SolveProblem(
      parameters: parameters, states: states.values, from: startTime, to: endTime, jumpTimes: jumpTimes)
  }
}
