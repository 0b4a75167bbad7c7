/// Fits a model to samples: mini-batches, an objective's gradient, Adam, validation, checkpoints.
///
/// The same options, data, build and instruction set give the same run, bit for bit, at any number of threads, also when
/// the run is stopped at any moment and resumed from its last checkpoint. (With a budget of seconds the clock decides
/// where it ends, and where on a cosine it stands.)
public final class Trainer<Model: TrainableModel> {
  public let options: TrainingOptions
  public let training: Dataset
  public let validation: Dataset?
  /// Where checkpoints, metrics and the best flow go; nil: nowhere.
  public let folder: RunFolder?
  public private(set) var state: TrainingState<Model>

  private let objective: any TrainingObjective<Model>
  private let names: ParameterNames
  private var batches: TrainingBatches
  private var recorder: RunRecorder?
  /// What the clock said when `run` began, and `state.seconds` then.
  private var start = 0.0
  private var secondsBefore = 0.0

  /// The start of a new run from `model`'s parameters.
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

  /// Goes on from `state`.
  ///
  /// - Throws: `TrainingError.invalidOption`, `.dimensionMismatch`, `.noSamples`, `.contextMismatch`; `FlowIOError` where the folder cannot be
  ///   written to; `TrainingError.stateMismatch` where the options want an average of the weights and the state has
  ///   none, or the other way round.
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
    // A checkpoint has to hold the model; better now than after the first hour.
    if folder != nil { _ = try state.model.metadata(kind: FlowMetadata.flowKind) }
    self.objective = objective
    names = state.model.parameterNames
    batches = TrainingBatches(
      training, transform: state.model.transform, size: options.batchSize, seed: options.seed,
      context: state.model.seenContext(training.context?.values ?? []))
    recorder = try folder.map { try RunRecorder(folder: $0, resumingAt: state.step) }
  }

  /// Trains until the steps or the seconds are spent, patience is over, or `shouldStop` says so.
  ///
  /// - Parameters:
  ///   - shouldStop: asked after each step; where it is true, a checkpoint is written and the run ends.
  ///   - observer: told of every step, validation and checkpoint.
  /// - Throws: `TrainingError.solveFailed`, `.lossNotFinite`, `.gradientNotFinite`, after a checkpoint of the state before
  ///   the step that failed, or `.notSaved` where there is none; `FlowIOError` where the folder cannot be written to.
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
    // A run that has been interrupted will go on, so it has to be left as it is.
    if ending != .interruption, !state.step.isMultiple(of: options.validationInterval) {
      try validate(countsForPatience: false, observer)
    }
    try save(observer)
    return TrainingResult(
      model: state.bestModel, ending: ending ?? .steps, steps: state.step, seconds: state.seconds,
      bestStep: state.best == nil ? state.step : state.bestStep, validation: state.best)
  }

  /// Why the run is over; nil while it is not.
  private var ending: TrainingEnding? {
    if let steps = options.steps, state.step >= steps { return .steps }
    if let seconds = options.seconds, state.seconds >= seconds { return .seconds }
    if let patience = options.patience, state.validationsSinceBest >= patience { return .patience }
    return nil
  }

  /// What part of the run is over, in [0, 1]: the steps' or the seconds' share, whichever is larger. Without a budget of
  /// seconds the clock has no say.
  private var progress: Double {
    let bySteps = options.steps.map { Double(state.step) / Double($0) } ?? 0
    let bySeconds = options.seconds.map { state.seconds / $0 } ?? 0
    return min(1, max(bySteps, bySeconds))
  }

  /// One step. Where it throws, the state is as it was.
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

  /// Saves what there is when a step has failed. Where that fails too, neither error may hide the other.
  private func saveBeforeThrowing(_ cause: any Error, _ observer: (TrainingEvent) -> Void) throws(TrainingError) {
    do {
      try save(observer)
    } catch {
      throw .notSaved(cause: "\(cause)", problem: "\(error)")
    }
  }

  /// Writes a checkpoint, and the model as it is where no validation has chosen one.
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
