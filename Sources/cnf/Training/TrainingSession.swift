import ContinuousFlows
import FlowIO
import Foundation

/// A call of `cnf train` that is ready to go, of whatever model.
protocol TrainingCall {
  /// Trains, and looks at what came of it.
  ///
  /// - Throws: `CommandFailure` of a signal, once everything is saved.
  func run() throws -> TrainingOutcome
}

/// One call of `cnf train`, from its data to its plots.
struct TrainingSession<Model: RunModel>: TrainingCall {
  /// What may change when a run is resumed: how long it goes on, how often it looks up, and on how many threads.
  ///
  /// `steps` and `seconds` are also what a cosine schedule is stretched over, so with that another length changes the
  /// learning rates from there on.
  private static var changeable: Set<Settings.Key> {
    [.steps, .seconds, .validationInterval, .patience, .checkpointInterval, .threads]
  }

  private let settings: Settings
  private let split: DatasetSplit
  private let folder: RunFolder
  private let lock: FolderLock
  private let trainer: Trainer<Model>
  private let progress: ProgressReporter

  /// A new run. What is wrong with settings or data is found before the folder is made.
  ///
  /// - Parameter flags: those of the call, which are in `settings` already.
  init(settings: Settings, flags: SettingsLayer, out: String, isQuiet: Bool) throws {
    try Model.validate(settings)
    try settings.refuseUnused(flags: flags)
    let remark = try settings.remarkOnPartitioned([.solver, .evaluationSolver])
    var settings = settings
    if case .file(let path) = try DatasetSource(settings.data) {
      // The run may be looked at from elsewhere.
      settings.data = URL(fileURLWithPath: path).standardizedFileURL.path
    }
    split = try settings.recordSplit()
    let model = try Model.untrained(for: split.train, settings: settings)
    let objective = try model.objective(settings)
    folder = try RunFolder.create(at: out)
    lock = try FolderLock(out)
    trainer = try Trainer(
      model: model, objective: objective, training: split.train, validation: split.validation,
      options: settings.trainingOptions, folder: folder)
    try settings.write(to: folder)
    self.settings = settings
    progress = ProgressReporter("training", isSilent: isQuiet)
    for remark in [remark, Self.remarkOnConstants(in: split.train)].compactMap({ $0 }) {
      progress.remark("cnf: \(remark)")
    }
    progress.remark(
      "\(settings.data): \(split.train.count) samples to train on, \(split.validation.count) to validate, "
        + "\(split.test.count) held out; \(trainer.state.model.parameters.count) parameters; run folder \(out)")
  }

  /// The run in `path`, from its last checkpoint; from its beginning where it has none yet.
  init(resuming path: String, overrides: SettingsLayer, isQuiet: Bool) throws {
    if let key = Settings.Key.allCases.first(where: { overrides.has($0) && !Self.changeable.contains($0) }) {
      throw CommandFailure(
        .usage,
        "\(key.rawValue) cannot change when a run is resumed: leave --\(key.rawValue) out, or begin a new run "
          + "with --out")
    }
    let present = RunFolder(path: path)
    lock = try FolderLock(path)
    let recorded = try Settings.read(from: present)
    let settings = try overrides.resolved(over: recorded, origin: "the command line")
    try settings.validate()
    try Model.validate(settings)
    split = try settings.loadSplit()
    if FileManager.default.fileExists(atPath: present.checkpointPath) {
      folder = try RunFolder.open(at: path)
      let state = try TrainingState<Model>(contentsOf: folder.checkpointPath)
      trainer = try Trainer(
        state: state, objective: try state.model.objective(settings), training: split.train,
        validation: split.validation, options: settings.trainingOptions, folder: folder)
    } else {
      guard !FileManager.default.fileExists(atPath: present.bestPath) else {
        throw CommandFailure(
          .badData,
          "\(path) has no checkpoint.safetensors to go on from, and its best.safetensors would be overwritten: begin a "
            + "new run with --config \(present.configurationPath) --out FOLDER")
      }
      folder = present
      let model = try Model.untrained(for: split.train, settings: settings)
      trainer = try Trainer(
        model: model, objective: try model.objective(settings), training: split.train, validation: split.validation,
        options: settings.trainingOptions, folder: folder)
    }
    let step = trainer.state.step
    guard settings.steps == 0 || step <= settings.steps else {
      throw CommandFailure(
        .usage, "\(path) is at step \(step) already: give --steps a number above that, or leave it out")
    }
    if settings != recorded { try settings.write(to: folder) }
    self.settings = settings
    progress = ProgressReporter("training", isSilent: isQuiet)
    if step == 0 {
      progress.remark("\(path): no checkpoint was written yet; the run begins anew")
    } else if step == settings.steps {
      progress.remark("\(path): at its last step, \(step), already; nothing is left to train")
    } else {
      progress.remark("\(path): going on after step \(step)")
    }
  }

  func run() throws -> TrainingOutcome {
    let result = try train()
    progress.clear()
    if result.ending == .interruption, let signal = Interruption.signal {
      throw CommandFailure(
        .signal(signal),
        "stopped after step \(result.steps) with a checkpoint written: cnf train --resume \(folder.path) "
          + "goes on from there")
    }
    let run = TrainedRun(folder: folder, model: result.model, settings: settings)
    let report = try result.model.report(on: split.test, against: split.fitted, settings: settings)
    let plots = try RunPlots(of: run, split: split)
    let written = try plots.writeAll(to: folder, kinds: plots.kinds)
    return TrainingOutcome(
      steps: result.steps, seconds: result.seconds, bestStep: result.bestStep, ending: result.ending, report: report,
      folder: folder, plots: written)
  }

  /// A density of a column that never varies has no bound, and what it is trained on from there is rounding.
  private static func remarkOnConstants(in training: Dataset) -> String? {
    // Levels get noise; a column that tells nothing is no harm to a model with outputs.
    guard Model.self is any DensityModel.Type, training.quantisation == nil else { return nil }
    let (values, columns) = (training.points.values, training.points.dimension)
    let constant = (0..<columns).filter { column in
      stride(from: column, to: values.count, by: columns).allSatisfy { values[$0] == values[column] }
    }
    guard let first = constant.first else { return nil }
    let others = constant.count == 1 ? "" : " (and \(constant.count - 1) more likewise)"
    return
      "column \(first + 1) of \(training.name) is \(values[first]) in every sample that is trained on\(others), so its "
      + "density has no bound: leave it out"
  }

  /// Mixed precision that gains nothing is worth a word.
  private func remarkOnPrecision() {
    guard settings.precision == Precision.mixed.rawValue, let set = Machine.instructionSet, set != .avx512bf16 else {
      return
    }
    progress.remark(
      "precision is mixed, but \(set) multiplies no bfloat16: operands are rounded, and nothing is faster for it")
  }

  private static func words(of step: StepReport) -> String {
    if let nll = step.nllNats { return "log-likelihood \(Format.decimal(-nll, digits: 3)) nats" }
    return "loss \(Format.decimal(step.loss, digits: 4))"
  }

  private func train() throws -> TrainingResult<Model> {
    remarkOnPrecision()
    Interruption.catchSignals()
    defer { Interruption.release() }
    var latest = "no validation yet"
    func observe(_ event: TrainingEvent) {
      switch event {
      case .step(let step):
        progress.update(
          fraction: step.progress,
          detail: "step \(step.step), \(Self.words(of: step)), \(latest)")
      case .validation(let validation):
        let value = Format.decimal(-validation.result.nllNats, digits: 3)
        latest = "validation \(value)\(validation.isBest ? "" : " (not the best)")"
      case .checkpoint: break
      }
    }
    do {
      return try trainer.run(shouldStop: { Interruption.signal != nil }, observer: observe)
    } catch let error as TrainingError {
      progress.clear()
      if case .notSaved = error { throw error }
      throw CommandFailure(.other, "\(error); the state before that step is saved in \(folder.checkpointPath)")
    }
  }
}
