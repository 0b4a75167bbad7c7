import ContinuousFlows

/// The settings in the words of the library. They have been validated, so names that do not parse cannot occur.
extension Settings {
  var trainingSolver: SolverOptions {
    solverOptions(
      method: solver, rtol: rtol, atol: atol, fixedSteps: fixedSteps, trace: trace)
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
      adam: Adam(weightDecay: weightDecayChoice), clipNorm: clipNorm == 0 ? nil : clipNorm,
      averageDecay: averageDecay == 0 ? nil : averageDecay, validationInterval: validationInterval,
      patience: patience == 0 ? nil : patience, checkpointInterval: checkpointInterval, seed: seed,
      solver: trainingSolver, evaluationSolver: evaluationSolverOptions, backend: backendChoice)
  }

  /// The data, cut in three.
  func loadSplit() throws -> DatasetSplit {
    let source = try DatasetSource(data)
    return try source.load(count: count, seed: dataSeed).split(source.splitSizes, seed: dataSeed)
  }

  /// An untrained flow for `training`.
  func untrainedFlow(for training: Dataset) throws -> ContinuousFlow {
    ContinuousFlow(
      dimension: training.dimension, hidden: hidden, activation: Activation(rawValue: activation) ?? .tanh,
      endTime: endTime, seed: seed,
      transform: try dataTransform(for: training))
  }

  private func dataTransform(for training: Dataset) throws -> DataTransform? {
    switch transform {
    case "standardise": return .standardising(training.continuousPoints(seed: seed))
    case "marginals":
      guard let quantisation = training.quantisation else {
        throw CommandFailure(
          .usage, "transform marginals needs data counted in levels, as the digits are: take standardise for \(data)")
      }
      return .marginals(LevelMarginals(counting: training.points, quantisation: quantisation))
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
      maximumSteps: solverMaxSteps, trace: Trace(rawValue: trace) ?? .exact,
      probe: Probe(rawValue: probe) ?? .rademacher,
      probeCount: probes, threads: threads == 0 ? nil : threads)
  }
}
