/// Fits a flow to samples by maximum likelihood: mini-batches, Adam, validation, checkpoints.
///
/// The same options, data, build and instruction set give the same run, bit for bit, at any number of threads, also when
/// the run is stopped at any moment and resumed from its last checkpoint. (With a budget of seconds the clock decides
/// where it ends, and where on a cosine it stands.)
public final class Trainer {
  public let options: TrainingOptions
  public let training: Dataset
  public let validation: Dataset?
  /// Where checkpoints, metrics and the best flow go; nil: nowhere.
  public let folder: RunFolder?
  public private(set) var state: TrainingState

  private let solver: any FieldSolver<Float>
  private let evaluationSolver: any FieldSolver<Float>
  private let names: ParameterNames
  private var batches: TrainingBatches
  private var recorder: RunRecorder?
  /// Of the run so far, less `state.seconds`: set while it runs.
  private var start = ContinuousClock.now
  private var secondsBefore = 0.0

  /// The start of a new run from `flow`'s parameters.
  ///
  /// - Throws: `TrainingError.invalidOption`, `.dimensionMismatch`, `.noSamples`; `KernelError` for a refused solver;
  ///   `FlowIOError` where the folder cannot be written to.
  public convenience init(
    flow: ContinuousFlow, training: Dataset, validation: Dataset? = nil, options: TrainingOptions,
    folder: RunFolder? = nil
  ) throws {
    let state = TrainingState(flow: flow, keepsAverage: options.averageDecay != nil)
    try self.init(state: state, training: training, validation: validation, options: options, folder: folder)
  }

  /// Goes on with the run in `folder`, from its last checkpoint.
  ///
  /// - Throws: as `init(state:…)`, and what `TrainingState.init(contentsOf:)` throws.
  public convenience init(
    resuming folder: RunFolder, training: Dataset, validation: Dataset? = nil, options: TrainingOptions
  ) throws {
    let state = try TrainingState(contentsOf: folder.checkpointPath)
    try self.init(state: state, training: training, validation: validation, options: options, folder: folder)
  }

  /// Goes on from `state`.
  ///
  /// - Throws: as above; `TrainingError.stateMismatch` where the options want an average of the weights and the state has
  ///   none, or the other way round.
  public init(
    state: TrainingState, training: Dataset, validation: Dataset?, options: TrainingOptions, folder: RunFolder?
  ) throws {
    try options.validate()
    try TrainingError.check(training, flow: state.flow)
    if let validation { try TrainingError.check(validation, flow: state.flow) }
    guard (state.average != nil) == (options.averageDecay != nil) else {
      throw TrainingError.stateMismatch(
        problem: state.average == nil ? "it keeps no average of the weights" : "it keeps an average of the weights")
    }
    self.state = state
    self.training = training
    self.validation = validation
    self.options = options
    self.folder = folder
    // A checkpoint has to hold the flow; better now than after the first hour.
    if folder != nil { _ = try FlowMetadata.text(of: state.flow, kind: FlowMetadata.flowKind) }
    let program = state.flow.program
    solver = try makeSolver(program: program, options: options.regularisedSolver, backend: options.backend)
    evaluationSolver = try makeSolver(program: program, options: options.evaluationSolver, backend: options.backend)
    names = ParameterNames(of: program)
    batches = TrainingBatches(
      training, transform: state.flow.transform, size: options.batchSize, seed: options.seed)
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
  ) throws -> TrainingResult {
    start = .now
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
      flow: state.bestFlow, ending: ending ?? .steps, steps: state.step, seconds: state.seconds,
      bestStep: state.best == nil ? state.step : state.bestStep, validation: state.best)
  }

  /// Why the run is over; nil while it is not.
  private var ending: TrainingResult.Ending? {
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
    let (gradient, count) = (try self.gradient(of: batch, step: step), Double(batch.rows.count))
    let loss = gradient.losses.reduce(0, +)
    guard loss.isFinite else { throw TrainingError.lossNotFinite(step: step + 1, value: loss) }
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
    let terms = meanRegularisers(gradient.solution)
    let penalty =
      options.regularisation.kineticEnergy * (terms.kinetic ?? 0)
      + options.regularisation.frobeniusNorm * (terms.frobenius ?? 0)
    return StepReport(
      step: state.step, nllNats: loss - penalty - batch.logDeterminants.reduce(0, +) / count,
      kineticEnergy: terms.kinetic, frobeniusNorm: terms.frobenius, learningRate: learningRate,
      gradientNorm: norm, evaluationsMean: Double(gradient.solution.evaluations.reduce(0, +)) / count,
      seconds: state.seconds, progress: progress)
  }

  /// Means over the batch of the integrals that the training solver gives.
  private func meanRegularisers(_ solution: Solution<Float>) -> (kinetic: Double?, frobenius: Double?) {
    func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
    return (mean(solution.kineticEnergies), mean(solution.frobeniusNorms))
  }

  /// The gradient of the batch's mean negative log-density, and of its regularisers. The problem that shares the parameters is
  /// gone when this returns, so that the optimiser changes them in place.
  private func gradient(of batch: TrainingBatches.Batch, step: Int) throws -> Gradient<Float> {
    let problem = SolveProblem(
      parameters: state.flow.parameters, states: batch.states, from: state.flow.endTime, to: 0, seed: options.seed,
      step: UInt64(step), sampleIdentifiers: batch.identifiers)
    let scale = 1 / Double(batch.rows.count)
    let gradient = try solver.gradient(
      of: .standardNormalNegativeLogLikelihood(scale: scale), regularisation: options.regularisation, at: problem)
    if let sample = gradient.solution.firstFailure {
      throw TrainingError.solveFailed(
        sample: batch.rows[sample], time: gradient.solution.timesReached[sample],
        status: gradient.solution.statuses[sample], step: step + 1)
    }
    return gradient
  }

  private func validate(countsForPatience: Bool, _ observer: (TrainingEvent) -> Void) throws {
    guard let validation else { return }
    let result = try state.averagedFlow.evaluate(on: validation, by: evaluationSolver, seed: options.seed)
    let isBest = state.note(result, countsForPatience: countsForPatience)
    updateSeconds()
    let report = ValidationReport(step: state.step, result: result, isBest: isBest, seconds: state.seconds)
    if isBest, let folder { try state.bestFlow.write(to: folder.bestPath) }
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

  /// Writes a checkpoint, and the flow as it is where no validation has chosen one.
  private func save(_ observer: (TrainingEvent) -> Void) throws {
    updateSeconds()
    guard let folder else { return }
    if state.best == nil { try state.bestFlow.write(to: folder.bestPath) }
    try recorder?.flush()
    try state.write(to: folder.checkpointPath)
    observer(.checkpoint(step: state.step, path: folder.checkpointPath))
  }

  private func updateSeconds() {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    state.seconds = secondsBefore + Double(seconds) + Double(attoseconds) * 1e-18
  }
}
