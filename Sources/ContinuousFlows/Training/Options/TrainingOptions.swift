/// How a flow is trained. Values that cannot be meant are refused by `Trainer`, with a sentence.
public struct TrainingOptions: Sendable, Equatable {
  /// Training ends after so many steps; nil: no bound. One of `steps` and `seconds` has to be set.
  public var steps: Int?
  /// Training ends after so many seconds, validation included; nil: no bound.
  ///
  /// A `cosine` schedule then follows the clock, so that two runs are not bit for bit the same: name `steps` alone for that.
  public var seconds: Double?
  /// Whose seconds those are, and the state's. Not in a checkpoint: whoever goes on with a run names the same.
  public var clock: TrainingClock
  /// Samples of a step; at most all there are.
  public var batchSize: Int
  /// The base rate, which `schedule` shapes.
  public var learningRate: Double
  public var schedule: LearningRateSchedule
  public var adam: Adam
  /// What the mean negative log-density gains from regularisers; where a coefficient is not 0, the training solver
  /// integrates its regulariser, whether `solver` says so or not. RNODE takes 0.01 for both.
  public var regularisation: Regularisation
  /// STEER (Ghosh et al. 2020, arXiv 2006.10711): in training each step's solves end at a time drawn uniformly from
  /// `−endTimeJitter ... endTimeJitter` in place of 0, so that the flow's rate of change has to settle by then; 0: off. Below T.
  public var endTimeJitter: Double
  /// The gradient is shortened to this Euclidean norm where it is longer; nil: never.
  public var clipNorm: Double?
  /// Decay of the weights' moving average, which is what is validated and kept; nil: the weights themselves are.
  public var averageDecay: Double?
  /// Steps between two validations.
  public var validationInterval: Int
  /// Training ends after so many validations in a row without a better one; nil: never.
  public var patience: Int?
  /// Steps between two checkpoints.
  public var checkpointInterval: Int
  /// Steps between two lines of the metrics.
  public var metricsInterval: Int
  /// Of shuffles, probes and dequantisation.
  public var seed: UInt64
  /// Of the training steps. Probes are drawn anew for every step.
  public var solver: SolverOptions
  /// Of validation.
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
