import ContinuousFlows

extension Settings {
  /// What holds where neither a flag nor the config file says otherwise.
  static func defaults(for source: DatasetSource, model: ModelKind = .flow) -> Settings {
    var settings = planar
    if source == .digits { settings.fitDigits() }
    settings.model = model.rawValue
    model.type.fitDefaults(&settings, to: source)
    return settings
  }

  /// For data of few dimensions: the net and solver of FFJORD's toy experiments.
  private static let planar = Settings(
    data: "", dataFingerprint: "", count: DatasetSource.generatedCount, dataSeed: 0, transform: "standardise",
    logitAlpha: 0, condition: "none", conditionColumns: 0,
    model: ModelKind.flow.rawValue, blocks: 1, depth: 10,
    hidden: [64, 64, 64], activation: "tanh", layer: "input", residual: false, layerNorm: false, dropout: 0,
    timeFeatures: 0, hyperUnits: 0, separable: false, endTime: 1, base: "standard-normal",
    targets: 0, augment: 0, encoder: [], head: [], residualSteps: 0,
    objective: Objective.likelihood, path: "linear", coupling: "independent",
    process: "vp", weighting: "noise",
    solver: "dopri5", rtol: 1e-5, atol: 1e-5, fixedSteps: 0, solverMaxSteps: 4096,
    controller: "integral", norm: "rms", trace: "automatic",
    probe: "rademacher", probes: 1, precision: "full", adjoint: everyStep, adjointBytes: 0,
    evaluationSolver: "dopri5", evaluationRtol: 1e-5, evaluationAtol: 1e-5, evaluationFixedSteps: 0,
    evaluationTrace: "exact",
    steps: 2000, seconds: 0, batchSize: 512, learningRate: 5e-3, schedule: "cosine", warmupSteps: 20,
    optimiser: "adamw", weightDecay: 1e-5, kinetic: 0, frobenius: 0, steer: 0, transport: 0, hjb: 0, clipNorm: 10,
    averageDecay: 0.99,
    validationInterval: 200, patience: 0, checkpointInterval: 200, seed: 0, threads: 0, backend: "c")

  /// For the digits: few steps of fixed length, and a run of two minutes.
  private mutating func fitDigits() {
    transform = "marginals"
    hidden = [128, 128]
    activation = "softplus"
    solver = "rk4"
    fixedSteps = 8
    steps = 0
    seconds = 120
    batchSize = 256
    learningRate = 4e-3
    // 1,365 images are few: with a decay of 1e-4 the flow learns them by heart (68 nats held out, 83 on its own), with this
    // it stays honest (72 and 79).
    weightDecay = 0.6
    averageDecay = 0.999
    warmupSteps = 50
  }
}
