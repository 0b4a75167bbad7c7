/// A continuous normalizing flow: a probability density that a neural network's ordinary differential equation carries
/// from a base distribution at t = 0, the standard normal unless told otherwise, to the data at t = T.
///
/// `log p(x) = log p₀(z(0)) − ∫₀ᵀ tr(∂f/∂z) dt − Σ log scale`, where z(T) = (x − shift) / scale: the instantaneous change of variables
/// (Chen, Rubanova, Bettencourt, Duvenaud 2018, arXiv 1806.07366, theorem 1).
///
/// ```swift
/// var flow = ContinuousFlow(dimension: 2, hidden: [32, 32], activation: .tanh, endTime: 1, seed: 0)
/// let data = try DatasetSource("pinwheel").load(count: 2_000, seed: 0)
/// let split = try data.split(.fractions(validation: 0.1, test: 0.1))
/// flow.transform = .standardising(split.train.points)
///
/// let options = TrainingOptions(steps: 300, batchSize: 256, learningRate: 5e-3, averageDecay: 0.99)
/// flow = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options).run().flow
///
/// let logDensities = try flow.logDensities(of: split.test.points).values
/// let samples = try flow.samples(count: 1_000, seed: 1)
/// ```
public struct ContinuousFlow: Sendable, Equatable {
  /// The field f.
  public let program: FieldProgram
  /// `θ`, `[P]`, in the order of `program.linearLayouts`.
  public var parameters: [Float] {
    didSet { Self.check(parameters, program) }
  }
  /// T, positive.
  public var endTime: Double {
    didSet { Self.check(endTime) }
  }
  /// What stands between the data and the flow's end.
  public var transform: DataTransform {
    didSet { Self.check(transform, program) }
  }
  /// p₀, the distribution of z(0).
  public var base: BaseDistribution {
    didSet { Self.check(base, program) }
  }
  /// What the context is, of a field that reads one; nil: a context is given as the field reads it.
  public var condition: Condition? {
    didSet { Self.check(condition, program) }
  }

  /// A flow of any field. Shapes that do not fit are a programmer's error.
  ///
  /// - Parameter transform: nil: the identity.
  public init(
    program: FieldProgram, parameters: [Float], endTime: Double = 1, transform: DataTransform? = nil,
    base: BaseDistribution = .standardNormal, condition: Condition? = nil
  ) {
    precondition(program.isComplete, "the program's last block does not have \(program.stateDimension) rows")
    let transform = transform ?? .identity(dimension: program.stateDimension)
    Self.check(parameters, program)
    Self.check(endTime)
    Self.check(transform, program)
    Self.check(base, program)
    Self.check(condition, program)
    self.program = program
    self.parameters = parameters
    self.endTime = endTime
    self.transform = transform
    self.base = base
    self.condition = condition
  }

  /// An untrained multilayer perceptron that sees `[x, t]`, close to the identity.
  ///
  /// - Parameters:
  ///   - hidden: widths of the hidden layers.
  ///   - seed: of the initial parameters.
  public init(
    dimension: Int, hidden: [Int] = [64, 64, 64], activation: Activation = .tanh, endTime: Double = 1,
    seed: UInt64 = 0, transform: DataTransform? = nil, base: BaseDistribution = .standardNormal
  ) {
    self.init(
      dimension: dimension, architecture: FieldArchitecture(hidden: hidden, activation: activation), endTime: endTime,
      seed: seed, transform: transform, base: base)
  }

  /// An untrained net of this architecture, close to the identity.
  ///
  /// - Parameters:
  ///   - seed: of the initial parameters.
  ///   - condition: has as many columns as the architecture's `contextDimension`.
  public init(
    dimension: Int, architecture: FieldArchitecture, endTime: Double = 1, seed: UInt64 = 0,
    transform: DataTransform? = nil, base: BaseDistribution = .standardNormal, condition: Condition? = nil
  ) {
    let program = architecture.program(stateDimension: dimension)
    self.init(
      program: program,
      parameters: InitialParameters.uniform(for: program, seed: seed, lastLayerScale: Self.initialLastLayerScale),
      endTime: endTime, transform: transform, base: base, condition: condition)
  }

  /// Makes the first solves take few steps, while the last layer still learns at once.
  private static let initialLastLayerScale: Float = 0.1

  /// D.
  public var dimension: Int { program.stateDimension }

  private static func check(_ parameters: [Float], _ program: FieldProgram) {
    precondition(
      parameters.count == program.parameterCount,
      "\(parameters.count) parameters for a program that has \(program.parameterCount)")
  }

  private static func check(_ endTime: Double) {
    precondition(endTime > 0 && endTime.isFinite, "endTime is \(endTime), must be positive and finite")
  }

  private static func check(_ base: BaseDistribution, _ program: FieldProgram) {
    if let problem = base.problem(dimension: program.stateDimension) {
      preconditionFailure("\(base.kind) base: \(problem)")
    }
  }

  private static func check(_ condition: Condition?, _ program: FieldProgram) {
    guard let condition else { return }
    precondition(
      condition.contextDimension == program.contextDimension,
      "a condition of \(condition.contextDimension) columns for a field that reads \(program.contextDimension)")
    if let problem = condition.problem { preconditionFailure("condition: \(problem)") }
  }

  private static func check(_ transform: DataTransform, _ program: FieldProgram) {
    precondition(
      transform.dimension == program.stateDimension,
      "a transform of \(transform.dimension) columns for a flow of \(program.stateDimension) dimensions")
  }
}
