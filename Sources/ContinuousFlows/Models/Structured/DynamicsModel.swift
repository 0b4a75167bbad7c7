public import FlowIO

/// A field learned from its values. Samples are rows `(x, dx/dt)` of 2 D columns; the field has D rows and does not
/// depend on the time.
public struct DynamicsModel: TrainableModel {
  public let program: FieldProgram
  /// `θ`, `[P]`.
  public var parameters: [Float]

  /// Shapes that do not fit, or a field that reads a context, are a precondition failure.
  public init(program: FieldProgram, parameters: [Float]) {
    ModelChecks.check(isComplete: program)
    precondition(
      parameters.count == program.parameterCount && program.contextDimension == 0,
      "\(parameters.count) parameters for a program of \(program.parameterCount) that reads a context of \(program.contextDimension) rows"
    )
    self.program = program
    self.parameters = parameters
  }

  public var dimension: Int { 2 * program.stateDimension }
  /// The identity: derivatives must not be shifted.
  public var transform: DataTransform { .identity(dimension: dimension) }
  public var parameterNames: ParameterNames { ParameterNames(of: program) }

  /// The field as a differential equation to solve.
  public func equation(options: SolverOptions = SolverOptions(trace: .none), backend: Backend = .c) -> NeuralODE {
    NeuralODE(program: program, parameters: parameters, options: options, backend: backend)
  }

  // MARK: Files

  private static let model = "dynamics"

  /// The metadata of a flow with the same field, except for the model's name.
  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    let flow = ContinuousFlow(program: program, parameters: parameters)
    var text = try FlowMetadata.text(of: flow, kind: kind)
    text[ModelFile.modelKey] = Self.model
    return text
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    let flow = try FlowMetadata.flow(in: file, kind: kind, model: Self.model)
    self.init(program: flow.program, parameters: flow.parameters)
  }
}

/// Regression on derivatives: minimises the mean of `½ |f(x) − dx/dt|² / D`, as Hamiltonian neural networks do
/// (Greydanus et al. 2019, arXiv 1906.01563). It solves nothing.
public struct DerivativeRegression: TrainingObjective {
  private let solver: any FieldSolver<Float>

  /// - Parameter model: the model that will be trained; its parameter values are not used.
  /// - Throws: `KernelError` for a refused solver.
  public init(model: DynamicsModel, options: TrainingOptions) throws {
    solver = try makeSolver(
      program: model.program, options: SolverOptions(trace: .none, threads: options.solver.threads),
      backend: options.backend)
  }

  public func gradient(of batch: TrainingBatch, model: DynamicsModel) throws -> BatchGradient {
    let half = model.program.stateDimension
    let scale = 1 / Double(batch.count * half)
    let (states, rates) = Self.halves(batch.states, half)
    let gradient = try solver.fieldGradient(
      of: .squaredDistance(from: rates, weights: nil, scale: scale),
      at: problem(model, states))
    return BatchGradient(parameters: gradient.parameters, loss: gradient.losses.reduce(0, +), evaluationsMean: 1)
  }

  /// The mean loss, in the place of a negative log-likelihood.
  public func evaluate(_ model: DynamicsModel, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try TrainingError.check(dataset, model: model)
    let half = model.program.stateDimension
    let (states, rates) = Self.halves(model.transform.forward(dataset.samples.values), half)
    let velocities = try solver.evaluate(problem(model, states)).velocities
    let losses = (0..<dataset.samples.count).map { sample in
      (sample * half..<(sample + 1) * half).reduce(0.0) { sum, place in
        let error = Double(velocities[place]) - Double(rates[place])
        return sum + 0.5 * error * error / Double(half)
      }
    }
    return EvaluationResult(
      LogDensities(
        values: losses.map { -$0 }, statuses: losses.map { $0.isFinite ? .ok : .notFinite },
        timesReached: losses.map { _ in 0 }, evaluations: losses.map { _ in 1 }), dimension: model.dimension)
  }

  private func problem(_ model: DynamicsModel, _ states: [Float]) -> SolveProblem<Float> {
    SolveProblem(parameters: model.parameters, states: states, from: 0, to: 0)
  }

  /// Splits rows into states and rates.
  private static func halves(_ rows: [Float], _ half: Int) -> (states: [Float], rates: [Float]) {
    var (states, rates): ([Float], [Float]) = ([], [])
    for first in stride(from: 0, to: rows.count, by: 2 * half) {
      states += rows[first..<first + half]
      rates += rows[first + half..<first + 2 * half]
    }
    return (states, rates)
  }
}
