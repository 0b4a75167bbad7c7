/// Fits a model to samples: mini-batches, an objective's gradient, Adam, validation and checkpoints.
///
/// The same options, data, build and instruction set give the same run bit for bit: at any number of threads, and if
/// the run is stopped at any moment and resumed from its last checkpoint. (With a budget of seconds, the clock decides
/// where the run ends, and the progress of a cosine schedule.)
public final class Trainer<Model: TrainableModel> {
  public let options: TrainingOptions
  public let training: Dataset
  public let validation: Dataset?
  /// The folder for checkpoints, metrics and the best model; nil means that nothing is written.
  public let folder: RunFolder?
  public private(set) var state: TrainingState<Model>

  private let objective: any TrainingObjective<Model>
  private let names: ParameterNames
  private var batches: TrainingBatches
  private var recorder: RunRecorder?
  /// The clock's reading when `run` began, and `state.seconds` at that time.
  private var start = 0.0
  private var secondsBefore = 0.0

  /// Starts a new run from `model`'s parameters.
  ///
  /// - Throws: as `init(state:…)`.
  public convenience init(
    model: Model, objective: any TrainingObjective<Model>, training: Dataset, validation: Dataset? = nil,
    options: TrainingOptions, folder: RunFolder? = nil
  ) throws {
    let state = TrainingState(model: model, keepsAverage: options.averageDecay != nil)
    try self.init(
      state: state, objective: objective, training: training, validation: validation, options: options,
      folder: folder)
  }

  /// Continues from `state`.
  ///
  /// - Throws: `TrainingError.invalidOption`, `.dimensionMismatch`, `.noSamples`, `.contextMismatch`; `FlowIOError` if
  ///   the folder cannot be written to; `TrainingError.stateMismatch` if only one of the options and the state has an
  ///   average of the weights.
  public init(
    state: TrainingState<Model>, objective: any TrainingObjective<Model>, training: Dataset, validation: Dataset?,
    options: TrainingOptions, folder: RunFolder?
  ) throws {
    try options.validate()
    try TrainingError.check(training, model: state.model)
    if let validation { try TrainingError.check(validation, model: state.model) }
    guard (state.average != nil) == (options.averageDecay != nil) else {
      throw TrainingError.stateMismatch(
        problem: state.average == nil ? "it keeps no average of the weights" : "it keeps an average of the weights")
    }
    self.state = state
    self.training = training
    self.validation = validation
    self.options = options
    self.folder = folder
    // Checks now that a checkpoint can hold the model, not after an hour of training.
    if folder != nil { _ = try state.model.metadata(kind: FlowMetadata.flowKind) }
    self.objective = objective
    names = state.model.parameterNames
    batches = TrainingBatches(
      training, transform: state.model.transform, size: options.batchSize, seed: options.seed,
      context: state.model.seenContext(training.context?.values ?? []))
    recorder = try folder.map { try RunRecorder(folder: $0, resumingAt: state.step) }
  }

  /// Trains until the steps or seconds are used up, patience ends, or `shouldStop` returns true.
  ///
  /// - Parameters:
  ///   - shouldStop: called after each step; if true, a checkpoint is written and the run ends.
  ///   - observer: called for every step, validation and checkpoint.
  /// - Throws: `TrainingError.solveFailed`, `.lossNotFinite`, `.gradientNotFinite`, after writing a checkpoint of the
  ///   state before the failed step; `.notSaved` if that fails as well; `FlowIOError` if the folder cannot be written
  ///   to.
  public func run(
    shouldStop: () -> Bool = { false }, observer: (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingResult<Model> {
    start = options.clock.seconds()
    secondsBefore = state.seconds
    var ending = self.ending
    while ending == nil {
      let report: StepReport
      do {
        report = try takeStep()
      } catch {
        try saveBeforeThrowing(error, observer)
        throw error
      }
      if report.step.isMultiple(of: options.metricsInterval) { try recorder?.record(report) }
      observer(.step(report))
      if state.step.isMultiple(of: options.validationInterval) {
        try validate(countsForPatience: true, observer)
      }
      ending = self.ending ?? (shouldStop() ? .interruption : nil)
      if ending == nil, state.step.isMultiple(of: options.checkpointInterval) { try save(observer) }
    }
    // An interrupted run will be resumed, so its state must not change.
    if ending != .interruption, !state.step.isMultiple(of: options.validationInterval) {
      try validate(countsForPatience: false, observer)
    }
    try save(observer)
    return TrainingResult(
      model: state.bestModel, ending: ending ?? .steps, steps: state.step, seconds: state.seconds,
      bestStep: state.best == nil ? state.step : state.bestStep, validation: state.best)
  }

  /// Why the run is over; nil if it is not.
  private var ending: TrainingEnding? {
    if let steps = options.steps, state.step >= steps { return .steps }
    if let seconds = options.seconds, state.seconds >= seconds { return .seconds }
    if let patience = options.patience, state.validationsSinceBest >= patience { return .patience }
    return nil
  }

  /// The fraction of the run that is over, in [0, 1]: the larger of the fractions of steps and of seconds. Without a
  /// budget of seconds the clock has no influence.
  private var progress: Double {
    let bySteps = options.steps.map { Double(state.step) / Double($0) } ?? 0
    let bySeconds = options.seconds.map { state.seconds / $0 } ?? 0
    return min(1, max(bySteps, bySeconds))
  }

  /// One step. If it throws, the state is unchanged.
  private func takeStep() throws -> StepReport {
    let step = state.step
    let batch = batches.batch(step: step)
    let gradient = try objective.gradient(of: batch, model: state.model)
    guard gradient.loss.isFinite else { throw TrainingError.lossNotFinite(step: step + 1, value: gradient.loss) }
    let norm = GradientNorm.euclidean(gradient.parameters)
    guard norm.isFinite else {
      let index = gradient.parameters.firstIndex { !$0.isFinite } ?? 0
      throw TrainingError.gradientNotFinite(step: step + 1, parameter: names.name(of: index))
    }
    let learningRate = options.learningRate * options.schedule.factor(step: step, progress: progress)
    state.advance(
      gradient.parameters, gradientScale: GradientNorm.clipScale(norm: norm, limit: options.clipNorm),
      adam: options.adam, learningRate: learningRate, average: options.averageDecay)
    updateSeconds()
    return StepReport(
      step: state.step, loss: gradient.loss, nllNats: gradient.nllNats, kineticEnergy: gradient.kineticEnergy,
      frobeniusNorm: gradient.frobeniusNorm, learningRate: learningRate, gradientNorm: norm,
      evaluationsMean: gradient.evaluationsMean, seconds: state.seconds, progress: progress)
  }

  private func validate(countsForPatience: Bool, _ observer: (TrainingEvent) -> Void) throws {
    guard let validation else { return }
    let result = try objective.evaluate(state.averagedModel, on: validation, seed: options.seed)
    let isBest = state.note(result, countsForPatience: countsForPatience)
    updateSeconds()
    let report = ValidationReport(step: state.step, result: result, isBest: isBest, seconds: state.seconds)
    if isBest, let folder { try state.bestModel.write(to: folder.bestPath) }
    try recorder?.record(report)
    observer(.validation(report))
  }

  /// Saves the state after a failed step. If saving fails as well, the error names both.
  private func saveBeforeThrowing(_ cause: any Error, _ observer: (TrainingEvent) -> Void) throws(TrainingError) {
    do {
      try save(observer)
    } catch {
      throw .notSaved(cause: "\(cause)", problem: "\(error)")
    }
  }

  /// Writes a checkpoint, and the present model if no validation has chosen one.
  private func save(_ observer: (TrainingEvent) -> Void) throws {
    updateSeconds()
    guard let folder else { return }
    if state.best == nil { try state.bestModel.write(to: folder.bestPath) }
    try recorder?.flush()
    try state.write(to: folder.checkpointPath)
    observer(.checkpoint(step: state.step, path: folder.checkpointPath))
  }

  private func updateSeconds() {
    state.seconds = secondsBefore + options.clock.seconds() - start
  }
}
