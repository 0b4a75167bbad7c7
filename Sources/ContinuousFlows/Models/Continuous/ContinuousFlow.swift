/// A continuous normalizing flow: a probability density, given by an ordinary differential equation with a neural
/// network as its right-hand side. The equation carries a base distribution at t = 0 (by default the standard normal)
/// to the data at t = T.
///
/// `log p(x) = log p₀(z(0)) − ∫₀ᵀ tr(∂f/∂z) dt − Σ log scale`, where z(T) = (x − shift) / scale: the instantaneous
/// change of variables (Chen, Rubanova, Bettencourt, Duvenaud 2018, arXiv 1806.07366, theorem 1).
///
/// ```swift
/// var flow = ContinuousFlow(dimension: 2, hidden: [32, 32], activation: .tanh, endTime: 1, seed: 0)
/// let data = try DatasetSource("pinwheel").load(count: 2_000, seed: 0)
/// let split = try data.split(.fractions(validation: 0.1, test: 0.1))
/// flow.transform = .standardising(split.train.samples)
///
/// let options = TrainingOptions(steps: 300, batchSize: 256, learningRate: 5e-3, averageDecay: 0.99)
/// flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow
///
/// let logDensities = try flow.logDensities(of: split.test.samples).values
/// let samples = try flow.samples(count: 1_000, seed: 1)
/// ```
public struct ContinuousFlow: Sendable, Equatable {
  /// The field f.
  public let program: FieldProgram
  /// `θ`, `[P]`, in the order of `program.linearLayouts`.
  public var parameters: [Float] {
    didSet { ModelChecks.check(parameters, count: program.parameterCount) }
  }
  /// T, positive.
  public var endTime: Double {
    didSet { ModelChecks.check(endTime: endTime) }
  }
  /// The transform from the data to the state at t = T.
  public var transform: DataTransform {
    didSet { ModelChecks.check(transform, dimension: program.stateDimension) }
  }
  /// p₀, the distribution of z(0).
  public var base: BaseDistribution {
    didSet { ModelChecks.check(base, dimension: program.stateDimension) }
  }
  /// The kind of context that the field reads. nil when the field reads none, or when the caller gives the context as
  /// the field reads it.
  public var contextKind: ContextKind? {
    didSet { Self.check(contextKind, program) }
  }

  /// A flow with any field. Shapes that do not fit are a precondition failure.
  ///
  /// - Parameter transform: nil means the identity.
  public init(
    program: FieldProgram, parameters: [Float], endTime: Double = 1, transform: DataTransform? = nil,
    base: BaseDistribution = .standardNormal, contextKind: ContextKind? = nil
  ) {
    ModelChecks.check(isComplete: program)
    let transform = transform ?? .identity(dimension: program.stateDimension)
    ModelChecks.check(parameters, count: program.parameterCount)
    ModelChecks.check(endTime: endTime)
    ModelChecks.check(transform, dimension: program.stateDimension)
    ModelChecks.check(base, dimension: program.stateDimension)
    Self.check(contextKind, program)
    self.program = program
    self.parameters = parameters
    self.endTime = endTime
    self.transform = transform
    self.base = base
    self.contextKind = contextKind
  }

  /// An untrained flow close to the identity, whose field is a multilayer perceptron that reads `[x, t]`.
  ///
  /// - Parameters:
  ///   - hidden: widths of the hidden layers.
  ///   - seed: the seed of the initial parameters.
  public init(
    dimension: Int, hidden: [Int] = [64, 64, 64], activation: Activation = .tanh, endTime: Double = 1,
    seed: UInt64 = 0, transform: DataTransform? = nil, base: BaseDistribution = .standardNormal
  ) {
    self.init(
      dimension: dimension, architecture: FieldArchitecture(hidden: hidden, activation: activation), endTime: endTime,
      seed: seed, transform: transform, base: base)
  }

  /// An untrained flow with a field of this architecture, close to the identity.
  ///
  /// - Parameters:
  ///   - seed: the seed of the initial parameters.
  ///     - contextKind: must have `contextDimension` columns, as the architecture says.
  public init(
    dimension: Int, architecture: FieldArchitecture, endTime: Double = 1, seed: UInt64 = 0,
    transform: DataTransform? = nil, base: BaseDistribution = .standardNormal, contextKind: ContextKind? = nil
  ) {
    let program = architecture.program(stateDimension: dimension)
    self.init(
      program: program,
      parameters: InitialParameters.uniform(for: program, seed: seed, lastLayerScale: Self.initialLastLayerScale),
      endTime: endTime, transform: transform, base: base, contextKind: contextKind)
  }

  /// A small last layer: the first solves take few steps, and the layer still learns from the first step on.
  private static let initialLastLayerScale: Float = 0.1

  /// D.
  public var dimension: Int { program.stateDimension }

  private static func check(_ contextKind: ContextKind?, _ program: FieldProgram) {
    guard let contextKind else { return }
    precondition(
      contextKind.contextDimension == program.contextDimension,
      "a context of \(contextKind.contextDimension) columns for a field that reads \(program.contextDimension)")
    if let problem = contextKind.problem { preconditionFailure("context: \(problem)") }
  }
}
