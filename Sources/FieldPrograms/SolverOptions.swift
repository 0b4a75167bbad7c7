/// How step sizes are chosen.
public enum StepControl: Sendable, Equatable {
  /// Every sample has its own steps: error is measured against `atol + rtol · max(|x|, |x′|)`.
  case perSample(rtol: Double, atol: Double)
  /// This many equal steps, or the step fractions of the problem.
  case fixed(steps: Int)
  /// One step size for the whole batch, as torchdiffeq has it: for comparison only.
  case batch(rtol: Double, atol: Double)
}

/// How the divergence `tr(∂f/∂x)` is had.
public enum Trace: String, Sendable, CaseIterable, Codable {
  /// Not at all: the log-determinant is 0.
  case none
  /// The mean over probes ε of `εᵀJε`: unbiased (Hutchinson 1990, Communications in Statistics - Simulation and Computation 19; in
  /// flows: Grathwohl et al. 2019, arXiv 1810.01367).
  case hutchinson
  /// The cheaper of the two exact forms that fit the program.
  case exact
  /// D tangents; fits every program.
  case exactTangents
  /// One hidden × hidden product; fits nets of at most two hidden layers.
  case exactProduct
  /// Exact when that costs at most twice as many multiply-adds as the probes, else Hutchinson.
  case automatic
}

/// The distribution of Hutchinson's probes.
public enum Probe: String, Sendable, CaseIterable, Codable {
  case rademacher
  case gaussian
}

/// Of a sample's errors against their tolerances.
public enum ErrorNorm: String, Sendable, CaseIterable, Codable {
  /// Root mean square.
  case rootMeanSquare = "rms"
  /// The largest: every component keeps its tolerance.
  case maximum = "max"
}

/// A method with its settings: what a solver is made from, beside a program.
public struct SolverOptions: Sendable, Equatable {
  /// Name of a method, such as `rk4` or `dopri5`; the C library's table has them all.
  public var method: String
  public var control: StepControl
  /// Adams methods: the longest formula, 1 to 12, as torchdiffeq counts it (`cnf.h`, section 5); below 4, steps of `rk4_38`.
  public var maximumOrder: Int
  /// implicit_adams: a step's iteration ends where it changes each component by less than
  /// `iterationAtol + iterationRtol · size`.
  public var iterationRtol: Double
  public var iterationAtol: Double
  /// Length of the first adaptive step; nil: chosen (Hairer-Nørsett-Wanner I, II.4).
  public var initialStep: Double?
  /// A shorter step ends the sample; nil: 16 units in the last place of `t`, or of 1e-12 times
  /// the end time where that is larger.
  public var minimumStep: Double?
  /// No adaptive step is longer; nil: no bound.
  public var maximumStep: Double?
  public var stepController: StepController
  public var errorNorm: ErrorNorm
  /// `[D]`: each row's own tolerances, in place of the control's, which the log-determinant keeps; nil: the control's.
  public var relativeTolerances: [Double]?
  public var absoluteTolerances: [Double]?
  /// Accepted and rejected steps together.
  public var maximumSteps: Int
  public var trace: Trace
  public var probe: Probe
  public var probeCount: Int
  /// Whether the log-determinant is a component of the error norm.
  public var errorNormIncludesLogDeterminant: Bool
  /// nil: as many as OpenMP has. Results do not depend on it.
  public var threads: Int?
  /// Bytes per thread for evaluations that a gradient keeps between a solve and its reverse; those without room are made
  /// again. nil: 32 MiB; 0: none. Results do not depend on it. The C kernels alone heed it: PureSwift makes all of them again.
  /// States of those that are kept are not held beside: what `adjoint` says is of the others.
  public var keptEvaluationBytes: Int?
  public var precision: Precision
  /// Whether solves integrate the kinetic energy, `½ mean_D f²`, over |dt|.
  public var integratesKineticEnergy: Bool
  /// Whether solves integrate the Jacobian's Frobenius norm over |dt|: `‖J‖²_F / D` by exact tangents, by Hutchinson's probes
  /// its unbiased estimate, the mean of `mean_D (Jε)²`. It needs one of these two traces: `.exact` and `.automatic` then
  /// come to one of them, and `.none` and `.exactProduct` are refused.
  public var integratesFrobeniusNorm: Bool
  public var adjoint: AdjointSchedule

  public init(
    method: String = "dopri5", control: StepControl = .perSample(rtol: 1e-5, atol: 1e-5), initialStep: Double? = nil,
    minimumStep: Double? = nil, maximumStep: Double? = nil, stepController: StepController = .integral,
    errorNorm: ErrorNorm = .rootMeanSquare, relativeTolerances: [Double]? = nil, absoluteTolerances: [Double]? = nil,
    maximumSteps: Int = 4096, trace: Trace = .exact, probe: Probe = .rademacher,
    probeCount: Int = 1, errorNormIncludesLogDeterminant: Bool = true, threads: Int? = nil,
    keptEvaluationBytes: Int? = nil, precision: Precision = .full,
    integratesKineticEnergy: Bool = false, integratesFrobeniusNorm: Bool = false,
    maximumOrder: Int = 12, iterationRtol: Double = 1e-5, iterationAtol: Double = 1e-5,
    adjoint: AdjointSchedule = .everyStep
  ) {
    self.method = method
    self.control = control
    self.maximumOrder = maximumOrder
    self.iterationRtol = iterationRtol
    self.iterationAtol = iterationAtol
    self.initialStep = initialStep
    self.minimumStep = minimumStep
    self.maximumStep = maximumStep
    self.stepController = stepController
    self.errorNorm = errorNorm
    self.relativeTolerances = relativeTolerances
    self.absoluteTolerances = absoluteTolerances
    self.maximumSteps = maximumSteps
    self.trace = trace
    self.probe = probe
    self.probeCount = probeCount
    self.errorNormIncludesLogDeterminant = errorNormIncludesLogDeterminant
    self.threads = threads
    self.keptEvaluationBytes = keptEvaluationBytes
    self.precision = precision
    self.integratesKineticEnergy = integratesKineticEnergy
    self.integratesFrobeniusNorm = integratesFrobeniusNorm
    self.adjoint = adjoint
  }
}
