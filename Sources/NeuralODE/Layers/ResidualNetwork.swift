/// A residual network of n blocks with shared weights: `x(k+1) = x(k) + h f(x(k), t(k); θ)`, with `h = (t1 − t0)/n` and
/// `t(k) = t0 + k h`; over the usual 0 ... 1 this is `x + f(x, k/n)/n`.
///
/// This is Euler's method for `dx/dt = f(x, t; θ)`, so with the same θ its output converges to the solution as 1/n
/// (Weinan E 2017; Chen et al. 2018, arXiv 1806.07366); `layer` is that ordinary differential equation. Blocks are
/// evaluated and reversed one by one, without a solver, so this is an independent reference for solves by `euler`.
public struct ResidualNetwork<Scalar: FlowScalar> {
  public let program: FieldProgram
  /// `θ`, `[P]`, shared by all blocks.
  public var parameters: [Scalar] {
    didSet { check() }
  }
  /// n, at least 1.
  public let steps: Int
  public let startTime: Double
  /// May be before `startTime`.
  public let endTime: Double
  private let evaluator: any FieldSolver<Scalar>

  /// - Parameters:
  ///   - program: the block f, which keeps its dimension.
  ///   - parameters: `[P]`, as many as `program` has.
  ///   - threads: nil means as many as there are; results do not depend on it.
  /// - Throws: `KernelError` for a refused program.
  public init(
    program: FieldProgram, parameters: [Scalar], steps: Int, from startTime: Double = 0, to endTime: Double = 1,
    threads: Int? = nil, backend: Backend = .c
  ) throws {
    precondition(program.isComplete, "the program's last block does not have \(program.stateDimension) rows")
    precondition(steps >= 1, "steps is \(steps), must be at least 1")
    self.program = program
    self.parameters = parameters
    self.steps = steps
    self.startTime = startTime
    self.endTime = endTime
    evaluator = try makeSolver(
      program: program, options: SolverOptions(trace: .none, threads: threads), backend: backend)
    check()
  }

  /// The same field and parameters as an ordinary differential equation, solved with `options`. With `euler` in n equal
  /// steps it equals this network up to rounding.
  ///
  /// - Throws: `KernelError` for a refused option.
  public func layer(options: SolverOptions, backend: Backend = .c) throws -> NeuralODELayer<Scalar> {
    try NeuralODELayer(
      program: program, parameters: parameters, from: startTime, to: endTime, options: options, backend: backend)
  }

  /// The solver whose steps are these blocks.
  public static func eulerOptions(steps: Int) -> SolverOptions {
    SolverOptions(method: "euler", control: .fixed(steps: steps), trace: .none)
  }

  /// The outputs `[count][D]` of inputs `[count][D]`. A sample that overflows becomes infinite or NaN; it does not
  /// affect the others.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func callAsFunction(_ inputs: [Scalar]) throws -> [Scalar] {
    try states(from: inputs).last ?? inputs
  }

  /// The gradient of a loss of the outputs.
  ///
  /// - Parameter cotangents: returns `∂L/∂outputs`, `[count][D]`, for outputs `[count][D]`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func gradient(
    at inputs: [Scalar], cotangents: ([Scalar]) throws -> [Scalar]
  ) throws -> (outputs: [Scalar], parameters: [Scalar], inputs: [Scalar]) {
    let states = try states(from: inputs)
    let outputs = states[steps]
    var cotangent = try cotangents(outputs)
    precondition(cotangent.count == outputs.count, "\(cotangent.count) cotangents of \(outputs.count) outputs")
    var parameters = [Scalar](repeating: 0, count: self.parameters.count)
    for step in (0..<steps).reversed() {
      // λ(k) = λ(k+1) + h Jᵀλ(k+1), θ̄ += h (∂f/∂θ)ᵀλ(k+1), at x(k): J is of one block.
      let block = try evaluator.fieldGradient(
        of: .cotangents(velocities: cotangent.map { Scalar(length) * $0 }), at: problem(states[step], step))
      for index in parameters.indices { parameters[index] += block.parameters[index] }
      for index in cotangent.indices { cotangent[index] += block.states[index] }
    }
    return (outputs, parameters, cotangent)
  }

  /// h, negative if `endTime` comes before `startTime`.
  private var length: Double { (endTime - startTime) / Double(steps) }

  /// x(0) to x(n).
  private func states(from inputs: [Scalar]) throws -> [[Scalar]] {
    precondition(
      inputs.count % program.stateDimension == 0, "\(inputs.count) numbers in inputs of \(program.stateDimension)")
    var states = [inputs]
    for step in 0..<steps {
      var state = states[step]
      let velocities = try evaluator.evaluate(problem(state, step)).velocities
      for index in state.indices { state[index] += Scalar(length) * velocities[index] }
      states.append(state)
    }
    return states
  }

  private func problem(_ states: [Scalar], _ step: Int) -> SolveProblem<Scalar> {
    let time = startTime + Double(step) * length
    return SolveProblem(parameters: parameters, states: states, from: time, to: time)
  }

  private func check() {
    precondition(
      parameters.count == program.parameterCount,
      "\(parameters.count) parameters for a program that has \(program.parameterCount)")
  }
}
