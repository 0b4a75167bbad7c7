import ContinuousFlows

/// The settings in the words of the library. They have been validated, so names that do not parse cannot occur.
extension Settings {
  var trainingSolver: SolverOptions {
    var options = solverOptions(method: solver, rtol: rtol, atol: atol, fixedSteps: fixedSteps, trace: trace)
    options.precision = Precision(rawValue: precision) ?? .full
    options.adjoint = adjointSchedule ?? .everyStep
    return options
  }

  var evaluationSolverOptions: SolverOptions {
    solverOptions(
      method: evaluationSolver, rtol: evaluationRtol, atol: evaluationAtol, fixedSteps: evaluationFixedSteps,
      trace: evaluationTrace)
  }

  var backendChoice: Backend { Backend(rawValue: backend) ?? .c }

  var trainingOptions: TrainingOptions {
    TrainingOptions(
      steps: steps == 0 ? nil : steps, seconds: seconds == 0 ? nil : seconds, batchSize: batchSize,
      learningRate: learningRate,
      schedule: LearningRateSchedule(schedule == "cosine" ? .cosine() : .constant, warmupSteps: warmupSteps),
      adam: Adam(weightDecay: weightDecayChoice),
      regularisation: Regularisation(kineticEnergy: kinetic, frobeniusNorm: frobenius),
      clipNorm: clipNorm == 0 ? nil : clipNorm,
      averageDecay: averageDecay == 0 ? nil : averageDecay, validationInterval: validationInterval,
      patience: patience == 0 ? nil : patience, checkpointInterval: checkpointInterval, seed: seed,
      solver: trainingSolver, evaluationSolver: evaluationSolverOptions, backend: backendChoice, endTimeJitter: steer)
  }

  /// The data, cut in three. A file has to hold what it held when the run began: else a resumed run is another, and what
  /// was held out is not.
  func loadSplit() throws -> DatasetSplit {
    let (source, dataset) = try loadData()
    if !dataFingerprint.isEmpty {
      let found = DatasetFingerprint(of: dataset).description
      guard found == dataFingerprint else {
        throw CommandFailure(
          .badData,
          "\(data) has changed since this run began, from \(dataFingerprint) to \(found): put the old file back, or begin "
            + "a new run with --out")
      }
    }
    return try conditioned(prepared(dataset)).split(source.splitSizes, seed: dataSeed)
  }

  /// As `loadSplit`, for a new run: takes note of what a file holds now.
  mutating func recordSplit() throws -> DatasetSplit {
    let (source, dataset) = try loadData()
    dataFingerprint = ""
    if case .file = source { dataFingerprint = DatasetFingerprint(of: dataset).description }
    return try conditioned(prepared(dataset)).split(source.splitSizes, seed: dataSeed)
  }

  private func loadData() throws -> (source: DatasetSource, dataset: Dataset) {
    let source = try DatasetSource(data)
    return (source, try source.load(count: count, seed: dataSeed))
  }

  /// The base, fitted to the data as the flow sees them.
  func fittedBase(to training: Dataset, through transform: DataTransform) throws -> BaseDistribution {
    guard base != "standard-normal" else { return .standardNormal }
    let points = training.continuousPoints(seed: seed)
    let seen = SampleMatrix(
      count: points.count, dimension: points.dimension, values: transform.forward(points.values))
    switch base {
    case "gaussian": return .gaussian(fitting: seen)
    case "full-gaussian": return .fullGaussian(fitting: seen)
    case "uniform": return .uniform(fitting: seen)
    default:
      let components = mixtureComponents ?? 1
      guard components <= seen.count else {
        throw CommandFailure(
          .usage, "base is \(base), more components than there are samples to train on, \(seen.count)")
      }
      return .mixture(of: components, fitting: seen, seed: seed)
    }
  }

  var architecture: FieldArchitecture {
    FieldArchitecture(
      hidden: hidden, activation: Activation(rawValue: activation) ?? .tanh,
      layer: TimeLayer(rawValue: layer) ?? .input,
      timeFeatures: timeFeatures, isResidual: residual, hasLayerNorm: layerNorm, dropout: dropout,
      hyperUnits: hyperUnits)
  }

  /// What stands between `training` and the model; nil: nothing.
  func dataTransform(for training: Dataset) throws -> DataTransform? {
    switch transform {
    case "standardise": return .standardising(training.continuousPoints(seed: seed))
    case "marginals":
      guard let quantisation = training.quantisation else {
        throw CommandFailure(
          .usage, "transform marginals needs data counted in levels, as the digits are: take standardise for \(data)")
      }
      return .marginals(LevelMarginals(counting: training.points, quantisation: quantisation))
    case "logit": return .logit(logit(for: training), standardising: training.continuousPoints(seed: seed))
    default: return nil
    }
  }

  private var weightDecayChoice: WeightDecay {
    guard weightDecay > 0 else { return .none }
    return optimiser == "adamw" ? .decoupled(weightDecay) : .penalty(weightDecay)
  }

  private func solverOptions(
    method: String, rtol: Double, atol: Double, fixedSteps: Int, trace: String
  ) -> SolverOptions {
    SolverOptions(
      method: method, control: fixedSteps > 0 ? .fixed(steps: fixedSteps) : .perSample(rtol: rtol, atol: atol),
      stepController: StepController(controller) ?? .integral, errorNorm: ErrorNorm(rawValue: norm) ?? .rootMeanSquare,
      maximumSteps: solverMaxSteps, trace: Trace(rawValue: trace) ?? .exact,
      probe: Probe(rawValue: probe) ?? .rademacher,
      probeCount: probes, threads: threads == 0 ? nil : threads, iterationRtol: rtol, iterationAtol: atol)
  }
}
