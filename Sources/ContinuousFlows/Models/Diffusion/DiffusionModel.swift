/// A diffusion model: a net that predicts the noise in a diffused sample, trained by `ScoreMatching`.
///
/// The net u(y, t) is any field program. Its inputs are y = x/√(m² + σ²), of variance 1 at all times, and the flow's
/// time t (`DiffusionProcess.flowTime`). With c = m/√(m² + σ²) and d = σ/√(m² + σ²), it is trained to predict `d x₀ − c
/// ε`. So
///
///     noise  ε̂(x, s) = d y − c u(y, t),        score  ∇log p(x) = −ε̂/σ.
///
/// This is a noise-predicting net with a skip connection (the preconditioning of Karras et al. 2022, arXiv 2206.00364;
/// the v-parametrisation of Salimans and Ho 2022, arXiv 2202.00512, with the other sign): for pure noise, ε̂ = y even
/// before training.
///
/// With this choice the probability flow is `dy/dt = u(y, t)`, see `DiffusionAngle`: the net *is* the field of a
/// continuous flow, which the kernels run as it is. The same flow in the paper's time needs rows of coefficients that
/// no operation makes. With these coefficients from a host callback, a 64-64-64 net on two columns needed 150
/// evaluations instead of 60 for a log-density, and 2.7 times the time (Documentation/diffusion.md).
public struct DiffusionModel: Sendable, Equatable {
  public let process: DiffusionProcess
  /// The net u, from `[D]` and t to `[D]`.
  public let program: FieldProgram
  /// `[P]`.
  public var parameters: [Float] {
    didSet { ModelChecks.check(parameters, count: program.parameterCount) }
  }
  /// The transform from the data to x₀; it should standardise.
  public var transform: DataTransform {
    didSet { ModelChecks.check(transform, dimension: program.stateDimension) }
  }

  /// A model with any net. Shapes that do not fit are a precondition failure.
  ///
  /// - Parameter transform: nil means the identity.
  public init(
    process: DiffusionProcess, program: FieldProgram, parameters: [Float], transform: DataTransform? = nil
  ) {
    if let problem = process.problem { preconditionFailure("\(process.kind) process: \(problem)") }
    ModelChecks.check(isComplete: program)
    let transform = transform ?? .identity(dimension: program.stateDimension)
    ModelChecks.check(parameters, count: program.parameterCount)
    ModelChecks.check(transform, dimension: program.stateDimension)
    self.process = process
    self.program = program
    self.parameters = parameters
    self.transform = transform
  }

  /// An untrained model with a net of this architecture; its probability flow is close to the identity.
  ///
  /// - Parameter seed: the seed of the initial parameters, which are those of a `ContinuousFlow` with the same
  ///   architecture.
  public init(
    process: DiffusionProcess = .variancePreserving(), dimension: Int, architecture: FieldArchitecture,
    seed: UInt64 = 0, transform: DataTransform? = nil
  ) {
    let flow = ContinuousFlow(dimension: dimension, architecture: architecture, seed: seed)
    self.init(process: process, program: flow.program, parameters: flow.parameters, transform: transform)
  }

  /// D.
  public var dimension: Int { program.stateDimension }
}
