/// A classifier or regression with a neural ordinary differential equation inside: transform, encoder, equation, head.
///
/// ```swift
/// var model = NeuralODEModel(classes: 10, dimension: 64, augmentedDimensions: 8, hidden: [64], seed: 0)
/// model.transform = .standardising(split.train.samples)
/// let objective = try CrossEntropy(model: model, training: split.train, options: options)
/// let trainer = try Trainer(
///   model: model, objective: objective, training: split.train, validation: split.validation, options: options)
/// model = try trainer.run().model
/// let classes = try model.predictions(for: split.test.samples).classes
/// ```
///
/// Its parameters are named as in PyTorch: `encoder.0.weight`, `net.0.weight` (the field), `head.0.weight` and so on.
public struct NeuralODEModel: Sendable, Equatable {
  /// The meaning of the head's outputs.
  public enum Task: Sendable, Equatable {
    /// Logarithms of unnormalised probabilities, one for each class.
    case classification
    /// The targets after this transform.
    case regression(targets: DataTransform)
  }

  public let architecture: NeuralODEArchitecture
  public let task: Task
  /// n for a residual network, whose equation is always solved by n equal steps of `euler` with shared weights; nil
  /// means any solver.
  public let residualSteps: Int?
  /// `θ`, `[P]`: encoder, field, head.
  public var parameters: [Float] {
    didSet { ModelChecks.check(parameters, count: architecture.parameterCount) }
  }
  /// The transform from the data to the encoder's input; it has no marginals.
  public var transform: DataTransform {
    didSet { Self.check(transform, architecture) }
  }

  /// A model with any parts. Shapes that do not fit are a precondition failure.
  ///
  /// - Parameter transform: nil means the identity.
  public init(
    architecture: NeuralODEArchitecture, task: Task, parameters: [Float], transform: DataTransform? = nil,
    residualSteps: Int? = nil
  ) {
    let transform = transform ?? .identity(dimension: architecture.inputDimension)
    ModelChecks.check(parameters, count: architecture.parameterCount)
    Self.check(transform, architecture)
    precondition(residualSteps ?? 1 >= 1, "residualSteps is \(residualSteps ?? 1), must be at least 1")
    if case .regression(let targets) = task {
      precondition(
        targets.dimension == architecture.outputDimension && targets.marginals == nil,
        "a transform of \(targets.dimension) targets for a head of \(architecture.outputDimension) outputs")
    }
    self.architecture = architecture
    self.task = task
    self.parameters = parameters
    self.transform = transform
    self.residualSteps = residualSteps
  }

  /// An untrained classifier.
  ///
  /// - Parameters:
  ///   - encoder: widths of the encoder's layers; empty means that the state begins with the data.
  ///   - augmentedDimensions: number of zeros appended to the state (ANODE).
  ///   - hidden: widths of the field's hidden layers.
  ///   - head: widths of the head's hidden layers; empty means a linear head.
  ///   - seed: the seed of the initial parameters.
  public init(
    classes: Int, dimension: Int, encoder: [Int] = [], augmentedDimensions: Int = 0, hidden: [Int] = [64],
    activation: Activation = .tanh, head: [Int] = [], endTime: Double = 1, seed: UInt64 = 0,
    transform: DataTransform? = nil, residualSteps: Int? = nil
  ) {
    self.init(
      task: .classification, outputs: classes, dimension: dimension, encoder: encoder,
      augmentedDimensions: augmentedDimensions,
      field: FieldArchitecture(hidden: hidden, activation: activation), head: head, endTime: endTime, seed: seed,
      transform: transform, residualSteps: residualSteps)
  }

  /// An untrained model: dense layers before and after a field of this architecture, with the field's activation.
  ///
  /// - Parameter outputs: number of classes, or of target columns.
  public init(
    task: Task, outputs: Int, dimension: Int, encoder: [Int] = [], augmentedDimensions: Int = 0,
    field: FieldArchitecture, head: [Int] = [], startTime: Double = 0, endTime: Double = 1, seed: UInt64 = 0,
    transform: DataTransform? = nil, residualSteps: Int? = nil
  ) {
    let encoder = DenseNetwork(inputDimension: dimension, widths: encoder, activation: field.activation)
    let state = encoder.outputDimension + augmentedDimensions
    let architecture = NeuralODEArchitecture(
      encoder: encoder, augmentedDimensions: augmentedDimensions, program: field.program(stateDimension: state),
      from: startTime, to: endTime,
      head: DenseNetwork(inputDimension: state, widths: head + [outputs], activation: field.activation))
    self.init(
      architecture: architecture, task: task, parameters: architecture.initialParameters(seed: seed),
      transform: transform, residualSteps: residualSteps)
  }

  /// Number of columns of a sample.
  public var dimension: Int { architecture.inputDimension }
  /// Number of classes, or of target columns.
  public var outputDimension: Int { architecture.outputDimension }

  /// `options` without a trace, and with the fixed steps of a residual network if this is one.
  public func solverOptions(_ options: SolverOptions) -> SolverOptions {
    var options = options.withoutTrace
    if let residualSteps {
      options.method = "euler"
      options.control = .fixed(steps: residualSteps)
    }
    return options
  }

  private static func check(_ transform: DataTransform, _ architecture: NeuralODEArchitecture) {
    precondition(
      transform.dimension == architecture.inputDimension && transform.marginals == nil,
      "a transform of \(transform.dimension) columns for a model of \(architecture.inputDimension)")
  }
}
