/// How a model is trained. `Trainer` refuses invalid values with a message.
public struct TrainingOptions: Sendable, Equatable {
  /// Training ends after this number of steps; nil means no bound. Set at least one of `steps` and `seconds`.
  public var steps: Int?
  /// Training ends after this number of seconds, validation included; nil means no bound.
  ///
  /// A `cosine` schedule then follows the clock, so two runs differ in their bits: set only `steps` to avoid that.
  public var seconds: Double?
  /// The clock of these seconds and of the state's. It is not part of a checkpoint: pass the same clock when you resume
  /// a run.
  public var clock: TrainingClock
  /// Number of samples of a step; limited to the size of the training set.
  public var batchSize: Int
  /// The base learning rate, which `schedule` scales.
  public var learningRate: Double
  public var schedule: LearningRateSchedule
  public var adam: Adam
  /// Regularisers added to the mean negative log-likelihood. If a coefficient is not 0, the training solver integrates
  /// its regulariser, whether `solver` asks for it or not. RNODE uses 0.01 for both.
  public var regularisation: Regularisation
  /// STEER (Ghosh et al. 2020, arXiv 2006.10711): in training, each step's solves end at a time drawn uniformly from
  /// `−endTimeJitter ... endTimeJitter` instead of 0, so that the flow must be nearly at rest by then. 0 means off; it
  /// must be below T.
  public var endTimeJitter: Double
  /// The gradient is scaled down to this Euclidean norm if it is longer; nil means never.
  public var clipNorm: Double?
  /// Decay of the moving average of the weights, which is validated and kept; nil means that the weights themselves
  /// are.
  public var averageDecay: Double?
  /// Number of steps between two validations.
  public var validationInterval: Int
  /// Training ends after this number of validations in a row without improvement; nil means never.
  public var patience: Int?
  /// Number of steps between two checkpoints.
  public var checkpointInterval: Int
  /// Number of steps between two lines of the metrics.
  public var metricsInterval: Int
  /// The seed of shuffles, probes and dequantisation noise.
  public var seed: UInt64
  /// Solver options of training steps. Probes are drawn again for every step.
  public var solver: SolverOptions
  /// Solver options of validation.
  public var evaluationSolver: SolverOptions
  public var backend: Backend

  public init(
    steps: Int? = nil, seconds: Double? = nil, batchSize: Int = 512, learningRate: Double = 1e-3,
    schedule: LearningRateSchedule = LearningRateSchedule(), adam: Adam = Adam(),
    regularisation: Regularisation = .none, clipNorm: Double? = nil,
    averageDecay: Double? = 0.999, validationInterval: Int = 250, patience: Int? = nil, checkpointInterval: Int = 1000,
    metricsInterval: Int = 10, seed: UInt64 = 0, solver: SolverOptions = SolverOptions(trace: .automatic),
    evaluationSolver: SolverOptions = SolverOptions(trace: .exact), backend: Backend = .c,
    endTimeJitter: Double = 0, clock: TrainingClock = .wall
  ) {
    self.steps = steps
    self.seconds = seconds
    self.clock = clock
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.schedule = schedule
    self.adam = adam
    self.regularisation = regularisation
    self.endTimeJitter = endTimeJitter
    self.clipNorm = clipNorm
    self.averageDecay = averageDecay
    self.validationInterval = validationInterval
    self.patience = patience
    self.checkpointInterval = checkpointInterval
    self.metricsInterval = metricsInterval
    self.seed = seed
    self.solver = solver
    self.evaluationSolver = evaluationSolver
    self.backend = backend
  }
}
