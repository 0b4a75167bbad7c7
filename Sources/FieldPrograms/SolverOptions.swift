/// How step sizes are chosen.
public enum StepControl: Sendable, Equatable {
  /// Every sample has its own step sizes. The error is measured relative to `atol + rtol · max(|x|, |x′|)`.
  case perSample(rtol: Double, atol: Double)
  /// This many equal steps, or the step fractions of the problem if it has them.
  case fixed(steps: Int)
  /// One step size for the whole batch, as in torchdiffeq. It is there for comparison only.
  case batch(rtol: Double, atol: Double)
}

/// How the divergence `tr(∂f/∂x)` is computed.
public enum Trace: String, Sendable, CaseIterable, Codable {
  /// The divergence is not computed, and the log-determinant is 0.
  case none
  /// The mean over probes ε of `εᵀJε`, an unbiased estimate (Hutchinson 1990, Communications in Statistics - Simulation
  /// and Computation 19; for flows: Grathwohl et al. 2019, arXiv 1810.01367).
  case hutchinson
  /// The cheaper of `exactTangents` and `exactProduct` that works for the program.
  case exact
  /// The exact trace by D tangents. Works for every program.
  case exactTangents
  /// The exact trace by one hidden × hidden product. Works for networks of at most two hidden layers.
  case exactProduct
  /// `exact` if that costs at most twice as many multiply-adds as the probes, else `hutchinson`.
  case automatic
}

/// The distribution of Hutchinson's probes.
public enum Probe: String, Sendable, CaseIterable, Codable {
  case rademacher
  case gaussian
}

/// The norm of a sample's errors, each divided by its tolerance.
public enum ErrorNorm: String, Sendable, CaseIterable, Codable {
  /// The root mean square over components.
  case rootMeanSquare = "rms"
  /// The largest component, so that every component meets its tolerance.
  case maximum = "max"
}

/// The options of a solver: its method, step control, trace and adjoint.
public struct SolverOptions: Sendable, Equatable {
  /// The name of a method, such as `rk4` or `dopri5`. `Methods.names` lists all.
  public var method: String
  public var control: StepControl
  /// For Adams methods, the highest order of the formula, 1 to 12, counted as in torchdiffeq
  /// (Documentation/methods.md). Below 4, all steps are those of `rk4_38`.
  public var maximumOrder: Int
  /// For implicit_adams: the iteration of a step ends when it changes each component by less than
  /// `iterationAtol + iterationRtol · size`.
  public var iterationRtol: Double
  public var iterationAtol: Double
  /// The length of the first adaptive step; nil lets the solver choose it (Hairer-Nørsett-Wanner I, II.4).
  public var initialStep: Double?
  /// A sample that needs a shorter step fails. nil means 16 units in the last place of `t`, or of 1e-12 times the end
  /// time if that is larger.
  public var minimumStep: Double?
  /// The length of the longest adaptive step; `.infinity` for no limit.
  ///
  /// nil means no limit if the field does not read the time. Otherwise it is a twentieth of the span, or longer if the
  /// field's weights let it change only slowly with the time (Documentation/methods.md, "Longest step").
  public var maximumStep: Double?
  public var stepController: StepController
  public var errorNorm: ErrorNorm
  /// The relative tolerance of each row, `[D]`; nil uses that of `control`, as the log-determinant always does.
  public var relativeTolerances: [Double]?
  /// The absolute tolerance of each row, `[D]`; nil uses that of `control`, as the log-determinant always does.
  public var absoluteTolerances: [Double]?
  /// The largest number of accepted and rejected steps of a sample.
  public var maximumSteps: Int
  public var trace: Trace
  public var probe: Probe
  /// The number of Hutchinson's probes per sample.
  public var probeCount: Int
  /// Whether the log-determinant is a component of the error norm.
  public var errorNormIncludesLogDeterminant: Bool
  /// The number of threads; nil for as many as the process can use. Results do not depend on it.
  public var threads: Int?
  /// The memory per thread, in bytes, for evaluations that the forward pass keeps for the backward pass. nil means 32
  /// MiB, and 0 keeps none.
  ///
  /// The backward pass recomputes evaluations that do not fit. Results do not depend on this option. The states of kept
  /// evaluations are not stored a second time, so `adjoint` applies to the other steps only. Only the C kernels use
  /// this option; `PureSwift` recomputes all evaluations.
  public var keptEvaluationBytes: Int?
  public var precision: Precision
  /// The states of solves for densities and samples of models. A solver that is made by `makeSolver` has the type it is
  /// asked for, and training solves in `Float`.
  public var stateType: StateType
  /// Whether solves integrate the kinetic energy, `½ mean_D f²`, over |dt|.
  public var integratesKineticEnergy: Bool
  /// Whether solves integrate the Frobenius norm of the Jacobian, `‖J‖²_F / D`, over |dt|.
  ///
  /// It is exact with the trace `.exactTangents`. With `.hutchinson` it is the unbiased estimate from the probes, the
  /// mean of `mean_D (Jε)²`. `.exact` and `.automatic` resolve to one of these two; `.none` and `.exactProduct` are
  /// refused.
  public var integratesFrobeniusNorm: Bool
  public var adjoint: AdjointSchedule

  public init(
    method: String = "dopri5", control: StepControl = .perSample(rtol: 1e-5, atol: 1e-5), initialStep: Double? = nil,
    minimumStep: Double? = nil, maximumStep: Double? = nil, stepController: StepController = .integral,
    errorNorm: ErrorNorm = .rootMeanSquare, relativeTolerances: [Double]? = nil, absoluteTolerances: [Double]? = nil,
    maximumSteps: Int = 4096, trace: Trace = .exact, probe: Probe = .rademacher,
    probeCount: Int = 1, errorNormIncludesLogDeterminant: Bool = true, threads: Int? = nil,
    keptEvaluationBytes: Int? = nil, precision: Precision = .full, stateType: StateType = .float32,
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
    self.stateType = stateType
    self.integratesKineticEnergy = integratesKineticEnergy
    self.integratesFrobeniusNorm = integratesFrobeniusNorm
    self.adjoint = adjoint
  }
}
