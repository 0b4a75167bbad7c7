/// Everything that decides what a run of training does: what `config.yaml` in a run folder holds.
///
/// A key of the file is a flag's name without its dashes. There are no absent values, so that a resolved file says
/// everything: 0 stands for "no bound", "off" or "choose", as each line says.
struct Settings: Codable, Equatable {
  // Data
  /// A name of `cnf datasets`, or an absolute path.
  var data: String
  /// What a file of data held when the run began, as `DatasetFingerprint` describes it; empty for data that are no file.
  /// A new run records its own.
  var dataFingerprint: String
  /// Samples of a generated set.
  var count: Int
  /// Of a generated set, and of the split into train, validation and test.
  var dataSeed: UInt64
  /// What is done to columns before the flow sees them: `none`, `standardise`, `marginals` or `logit`.
  var transform: String
  /// α of the logit; 0: 1e-6 for data counted in levels, else 0.05.
  var logitAlpha: Double
  /// What a conditional model is given with a sample: `none`, or `labels`, the sample's class.
  var condition: String
  /// Or the last columns of the data, as many; 0: none.
  var conditionColumns: Int

  // Model
  /// What is trained: a word of `ModelKind`.
  var model: String
  /// Continuous flows in a row, of `stacked`.
  var blocks: Int
  /// Coupling layers, of `coupling`.
  var depth: Int
  /// Widths of the hidden layers.
  var hidden: [Int]
  var activation: String
  /// How layers see the time: `input`, or one of FFJORD's `ignore`, `concat`, `squash`, `concatsquash`, `hyper`, `blend`.
  var layer: String
  /// Whether hidden layers of one width are added to what they are of.
  var residual: Bool
  /// Whether a norm stands before every activation.
  var layerNorm: Bool
  /// The rate at which hidden rows are dropped in training; 0: none.
  var dropout: Double
  /// Frequencies of Fourier features that layers see in place of the time; 0: they see the time.
  var timeFeatures: Int
  /// Of layer `hyper`: tanh units of the net that makes weights of the time; 0: weights are affine in the time.
  var hyperUnits: Int
  /// Of a Hamiltonian flow: whether its energy is T(p) + V(q).
  var separable: Bool
  /// T: the flow runs from the base at t = 0 to the data at t = T.
  var endTime: Double
  /// What the flow begins with: `standard-normal`, or a distribution fitted to the training data, `gaussian`, `full-gaussian`,
  /// `uniform` or `mixture:K`.
  var base: String
  /// Of models with outputs: how many last columns of a file are targets, or the class; 0: none.
  var targets: Int
  /// Zeros behind the data, or behind the encoder's outputs.
  var augment: Int
  /// Widths of the dense layers before the state, and of the hidden ones behind it.
  var encoder: [Int]
  var head: [Int]
  /// Blocks of a residual network; 0: none.
  var residualSteps: Int

  // Objective
  /// What a step minimises: `likelihood`, or `flow-matching`, or of a diffusion model `score-matching`, which solve nothing.
  var objective: String
  /// Of flow matching: `linear`, `trigonometric`, `variance-preserving` or `interpolant`.
  var path: String
  /// Of flow matching, which sample of the base goes with which of the data: `independent` or `optimal-transport`.
  var coupling: String
  /// Of score matching, the diffusion: `vp`, `ve` or `sub-vp`.
  var process: String
  /// Of score matching: `noise` or `likelihood`.
  var weighting: String

  // Solver of training
  var solver: String
  var rtol: Double
  var atol: Double
  /// Equal steps from 0 to T; 0: adaptive.
  var fixedSteps: Int
  var solverMaxSteps: Int
  /// Of adaptive steps, in training and after it.
  var controller: String
  var norm: String
  var trace: String
  var probe: String
  var probes: Int
  var precision: String
  /// How the gradient is made: `every-step`, `every-8` and the like, `binomial`, `automatic`, `continuous` or `reversible`.
  var adjoint: String
  /// Per thread, of binomial and automatic; 0: their defaults.
  var adjointBytes: Int

  // Solver of validation, evaluation and sampling
  var evaluationSolver: String
  var evaluationRtol: Double
  var evaluationAtol: Double
  /// 0: adaptive.
  var evaluationFixedSteps: Int
  var evaluationTrace: String

  // Optimiser
  /// 0: no bound.
  var steps: Int
  /// 0: no bound.
  var seconds: Double
  var batchSize: Int
  var learningRate: Double
  var schedule: String
  var warmupSteps: Int
  var optimiser: String
  var weightDecay: Double
  /// What the mean negative log-likelihood gains per unit of kinetic energy; 0: it is not integrated.
  var kinetic: Double
  /// Likewise of the Jacobian's Frobenius norm.
  var frobenius: Double
  /// STEER: training's solves end at a time drawn from -steer to steer in place of 0; 0: off.
  var steer: Double
  /// Of a potential: what it gains per unit of transport cost, and of what is missed of the Hamilton-Jacobi equation.
  var transport: Double
  var hjb: Double
  /// 0: off.
  var clipNorm: Double
  /// 0: off.
  var averageDecay: Double

  // Run
  var validationInterval: Int
  /// 0: never stop early.
  var patience: Int
  var checkpointInterval: Int
  var seed: UInt64
  /// 0: all there are.
  var threads: Int
  var backend: String

  /// The keys of the file. Their order is the file's.
  enum CodingKeys: String, CodingKey, CaseIterable {
    case data
    case dataFingerprint = "data-fingerprint"
    case count
    case dataSeed = "data-seed"
    case transform
    case logitAlpha = "logit-alpha"
    case condition
    case conditionColumns = "condition-columns"
    case model
    case blocks
    case depth
    case hidden
    case activation
    case layer
    case residual
    case layerNorm = "layer-norm"
    case dropout
    case timeFeatures = "time-features"
    case hyperUnits = "hyper-units"
    case separable
    case endTime = "end-time"
    case base
    case targets
    case augment
    case encoder
    case head
    case residualSteps = "residual-steps"
    case objective
    case path
    case coupling
    case process
    case weighting
    case solver
    case rtol
    case atol
    case fixedSteps = "fixed-steps"
    case solverMaxSteps = "solver-max-steps"
    case controller
    case norm
    case trace
    case probe
    case probes
    case precision
    case adjoint
    case adjointBytes = "adjoint-bytes"
    case evaluationSolver = "evaluation-solver"
    case evaluationRtol = "evaluation-rtol"
    case evaluationAtol = "evaluation-atol"
    case evaluationFixedSteps = "evaluation-fixed-steps"
    case evaluationTrace = "evaluation-trace"
    case steps
    case seconds
    case batchSize = "batch-size"
    case learningRate = "learning-rate"
    case schedule
    case warmupSteps = "warmup-steps"
    case optimiser
    case weightDecay = "weight-decay"
    case kinetic
    case frobenius
    case steer
    case transport
    case hjb
    case clipNorm = "clip-norm"
    case averageDecay = "average-decay"
    case validationInterval = "validation-interval"
    case patience
    case checkpointInterval = "checkpoint-interval"
    case seed
    case threads
    case backend
  }

  typealias Key = CodingKeys
}
