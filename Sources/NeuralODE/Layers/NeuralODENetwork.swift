import PureSwift

/// Runs models of a `NeuralODEArchitecture`, and differentiates losses of their outputs with respect to all parameters,
/// inputs and times.
///
/// A sample's outputs have the same bits whatever its neighbours. Gradients are those of the steps taken, or the
/// adjoint chosen in the options, with the same bits at any number of threads.
public struct NeuralODENetwork<Scalar: FlowScalar> {
  public let architecture: NeuralODEArchitecture
  private let solver: any FieldSolver<Scalar>

  /// - Parameter options: the trace is off.
  /// - Throws: `KernelError` for a refused option.
  public init(
    _ architecture: NeuralODEArchitecture, options: SolverOptions = SolverOptions(trace: .none), backend: Backend = .c
  ) throws {
    var options = options
    options.trace = .none
    self.architecture = architecture
    solver = try makeSolver(program: architecture.program, options: options, backend: backend)
  }

  /// The keys of a field's dropout, as in `SolveProblem`.
  public struct Randomness: Sendable {
    public var seed: UInt64
    public var step: UInt64
    /// `[count]`; nil means the samples' numbers.
    public var identifiers: [UInt64]?
    public var dropoutIsActive: Bool

    public init(seed: UInt64 = 0, step: UInt64 = 0, identifiers: [UInt64]? = nil, dropoutIsActive: Bool = false) {
      self.seed = seed
      self.step = step
      self.identifiers = identifiers
      self.dropoutIsActive = dropoutIsActive
    }
  }

  /// The outputs of a model.
  public struct Outputs: Sendable {
    /// `[count][outputs]`; NaN if the sample's solve failed.
    public let values: [Scalar]
    /// States, statuses and counts of the solve.
    public let solution: Solution<Scalar>
  }

  /// The gradient of an `OutputLoss`.
  public struct Gradient: Sendable {
    /// `∂L/∂θ`, `[P]`: encoder, field, head.
    public let parameters: [Scalar]
    /// `∂L/∂inputs`, `[count][inputs]`.
    public let inputs: [Scalar]
    /// Each sample's part of `∂L/∂t0` and `∂L/∂t1`.
    public let startTimes: [Double]
    public let endTimes: [Double]
    /// Each sample's scaled loss; NaN if its solve failed.
    public let losses: [Double]
    public let solution: Solution<Scalar>
  }

  /// The outputs of inputs `[count][inputs]`.
  ///
  /// - Parameter parameters: the parameters of the architecture, `[P]`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func outputs(of inputs: [Scalar], parameters: [Scalar]) throws -> Outputs {
    check(parameters)
    let encoded = encoder(parameters).outputs(of: inputs)
    let solution = try solver.solve(problem(encoded, parameters, Randomness()))
    let head = DenseEvaluator(architecture.head, parameters: Array(parameters[architecture.headRange]))
    var values = head.outputs(of: solution.states)
    let columns = architecture.outputDimension
    for (sample, status) in solution.statuses.enumerated() where status != .ok {
      for column in 0..<columns { values[sample * columns + column] = .nan }
    }
    return Outputs(values: values, solution: solution)
  }

  /// The gradient of `loss` at inputs `[count][inputs]`. A failed sample adds nothing to it.
  ///
  /// The head and the loss of a sample are evaluated inside its solve, so there is one solve. The gradient of the
  /// head's parameters is computed afterwards from the final states, in the order of the samples.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func gradient(
    of loss: OutputLoss<Scalar>, at inputs: [Scalar], parameters: [Scalar], randomness: Randomness = Randomness()
  ) throws -> Gradient {
    check(parameters)
    let (columns, dimension) = (architecture.outputDimension, architecture.stateDimension)
    let count = inputs.count / architecture.inputDimension
    loss.check(count: count, outputs: columns)
    let encoder = encoder(parameters)
    let head = DenseEvaluator(architecture.head, parameters: Array(parameters[architecture.headRange]))
    let encoded = encoder.outputs(of: inputs)
    let solved = try solver.gradient(
      of: .function { solved in
        var result = SampleCotangents(for: solved)
        let gradient = head.gradient(at: solved.states, givesParameters: false) { outputs in
          Self.cotangents(of: loss, outputs, columns, first: solved.first, losses: &result.losses)
        }
        result.states = gradient.inputs
        return result
      }, at: problem(encoded, parameters, randomness))
    // The states of failed samples are not outputs: they are set to zero, with cotangents of 0.
    var states = solved.solution.states
    let failed = solved.solution.statuses.indices.filter { solved.solution.statuses[$0] != .ok }
    for sample in failed { for row in 0..<dimension { states[sample * dimension + row] = 0 } }
    let headGradient = head.gradient(at: states) { outputs in
      var losses = [Double](repeating: 0, count: count)
      var cotangents = Self.cotangents(of: loss, outputs, columns, first: 0, losses: &losses)
      for sample in failed { for column in 0..<columns { cotangents[sample * columns + column] = 0 } }
      return cotangents
    }
    let encoderGradient = encoder.gradient(at: inputs) { _ in withoutZeros(solved.states, count) }
    return Gradient(
      parameters: encoderGradient.parameters + solved.parameters + headGradient.parameters,
      inputs: encoderGradient.inputs, startTimes: solved.startTimes, endTimes: solved.endTimes, losses: solved.losses,
      solution: solved.solution)
  }

  /// `∂L/∂outputs` of the samples from number `first` on; also writes their losses.
  private static func cotangents(
    of loss: OutputLoss<Scalar>, _ outputs: [Scalar], _ columns: Int, first: Int, losses: inout [Double]
  ) -> [Scalar] {
    var cotangents: [Scalar] = []
    cotangents.reserveCapacity(outputs.count)
    for sample in losses.indices {
      let (value, cotangent) = loss.evaluate(
        sample: first + sample, outputs: outputs[sample * columns..<(sample + 1) * columns])
      precondition(cotangent.count == columns, "\(cotangent.count) cotangents of \(columns) outputs")
      losses[sample] = value
      cotangents += cotangent
    }
    return cotangents
  }

  private func encoder(_ parameters: [Scalar]) -> DenseEvaluator<Scalar> {
    DenseEvaluator(architecture.encoder, parameters: Array(parameters[architecture.encoderRange]))
  }

  private func problem(
    _ encoded: [Scalar], _ parameters: [Scalar], _ randomness: Randomness
  ) -> SolveProblem<Scalar> {
    SolveProblem(
      parameters: Array(parameters[architecture.fieldRange]), states: withZeros(encoded),
      from: architecture.startTime, to: architecture.endTime, seed: randomness.seed, step: randomness.step,
      sampleIdentifiers: randomness.identifiers, dropoutIsActive: randomness.dropoutIsActive)
  }

  /// The encoder's outputs, with the augmented dimensions appended to each row.
  private func withZeros(_ encoded: [Scalar]) -> [Scalar] {
    guard architecture.augmentedDimensions > 0 else { return encoded }
    let columns = architecture.encoder.outputDimension
    let zeros = [Scalar](repeating: 0, count: architecture.augmentedDimensions)
    var states: [Scalar] = []
    states.reserveCapacity(encoded.count / columns * architecture.stateDimension)
    for start in stride(from: 0, to: encoded.count, by: columns) { states += encoded[start..<start + columns] + zeros }
    return states
  }

  private func withoutZeros(_ states: [Scalar], _ count: Int) -> [Scalar] {
    guard architecture.augmentedDimensions > 0 else { return states }
    let (rows, columns) = (architecture.stateDimension, architecture.encoder.outputDimension)
    return (0..<count).flatMap { states[$0 * rows..<$0 * rows + columns] }
  }

  private func check(_ parameters: [Scalar]) {
    precondition(
      parameters.count == architecture.parameterCount,
      "\(parameters.count) parameters for a model that has \(architecture.parameterCount)")
  }
}
