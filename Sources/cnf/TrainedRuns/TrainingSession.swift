import ContinuousFlows
import FlowIO
import Foundation

/// A call of `cnf train` that is ready to start, with whatever model.
protocol TrainingCall {
  /// Trains, then computes figures and plots.
  ///
  /// - Throws: `CommandFailure` of a signal, once everything is saved.
  func run() throws -> TrainingOutcome
}

/// One call of `cnf train`, from its data to its plots.
struct TrainingSession<Model: RunModel>: TrainingCall {
  private let settings: Settings
  private let split: DatasetSplit
  private let folder: RunFolder
  private let lock: FolderLock
  private let trainer: Trainer<Model>
  private let progress: ProgressReporter

  /// A new run. Whatever is wrong with settings or data is found before the folder is created.
  ///
  /// - Parameter flags: those of the call, which are in `settings` already.
  init(settings: Settings, flags: SettingsLayer, out: String, isQuiet: Bool) throws {
    try settings.refuseUnused(flags: flags)
    try settings.checkRefusals(.training)
    let remark = try MethodRules.remarkOnPartitioned(settings, trains: true)
    var settings = settings
    if case .file(let path) = settings.data {
      // Later commands may run in another folder.
      settings.data = .file(path: URL(fileURLWithPath: path).standardizedFileURL.path)
    }
    split = try settings.recordSplit()
    let model = try Model.untrained(for: split, settings: settings)
    let objective = try model.objective(for: split, settings: settings)
    folder = try RunFolder.create(at: out)
    lock = try FolderLock(out)
    folder.removeAbandonedFiles()
    trainer = try Trainer(
      model: model, objective: objective, training: split.train, validation: split.validation,
      options: settings.trainingOptions, folder: folder)
    try settings.write(to: folder)
    self.settings = settings
    progress = ProgressReporter("training", isSilent: isQuiet)
    var remarks = [remark, MethodRules.remarkOnTolerance(settings, trains: true)].compactMap { $0 }
    if case .file = settings.data {
      remarks += split.train.remarks + DataRemarks(on: split).all(isDensity: Model.self is any DensityModel.Type)
    }
    for remark in remarks { progress.remark("cnf: \(remark)") }
    progress.remark(
      "\(settings.data.text): \(split.train.count) training samples, \(split.validation.count) for validation, "
        + "\(split.test.count) held out; \(trainer.state.model.parameters.count) parameters; run folder \(out)")
  }

  /// The run in `path`, from its last checkpoint, or from its start where it has none yet.
  ///
  /// A cosine schedule spans `steps` or `seconds`, so another length changes the learning rates from there on.
  init(resuming path: String, overrides: SettingsLayer, isQuiet: Bool) throws {
    if let entry = overrides.first(where: { !$0.contains(.changesOnResume) }) {
      throw CommandFailure(
        .usage,
        "\(entry.name) cannot change when a run is resumed: leave \(entry.flag) out, or start a new run with --out")
    }
    let present = RunFolder(path: path)
    lock = try FolderLock(path)
    present.removeAbandonedFiles()
    let recorded = try Settings.read(from: present)
    let settings = try overrides.resolved(over: recorded)
    try settings.checkRefusals(.training)
    split = try settings.loadSplit()
    if FileManager.default.fileExists(atPath: present.checkpointPath) {
      folder = try RunFolder.open(at: path)
      let state = try TrainingState<Model>(contentsOf: folder.checkpointPath)
      trainer = try Trainer(
        state: state, objective: try state.model.objective(for: split, settings: settings), training: split.train,
        validation: split.validation, options: settings.trainingOptions, folder: folder)
    } else {
      guard !FileManager.default.fileExists(atPath: present.bestPath) else {
        throw CommandFailure(
          .badData,
          "\(path) has no checkpoint.safetensors to continue from, and its best.safetensors would be overwritten: start a "
            + "new run with --config \(present.configurationPath) --out FOLDER")
      }
      folder = present
      let model = try Model.untrained(for: split, settings: settings)
      trainer = try Trainer(
        model: model, objective: try model.objective(for: split, settings: settings), training: split.train,
        validation: split.validation,
        options: settings.trainingOptions, folder: folder)
    }
    let step = trainer.state.step
    guard settings.steps == 0 || step <= settings.steps else {
      throw CommandFailure(
        .usage, "\(path) is at step \(step) already: give --steps a larger number, or leave --steps out")
    }
    if !settings.differences(from: recorded).isEmpty { try settings.write(to: folder) }
    self.settings = settings
    progress = ProgressReporter("training", isSilent: isQuiet)
    if step == 0 {
      progress.remark("\(path): no checkpoint was written yet, so the run starts again")
    } else if step == settings.steps {
      progress.remark("\(path): already at its last step, \(step): nothing is left to train")
    } else {
      progress.remark("\(path): continuing after step \(step)")
    }
  }

  func run() throws -> TrainingOutcome {
    let result = try train()
    progress.clear()
    if result.ending == .interruption, let signal = Interruption.signal {
      throw CommandFailure(
        .signal(signal),
        "stopped after step \(result.steps); a checkpoint is written, so cnf train --resume \(folder.path) continues the run"
      )
    }
    let run = TrainedRun(folder: folder, model: result.model, settings: settings)
    let report = try result.model.report(on: split.test, against: split.fitted, settings: settings)
    let plots = try RunPlots(of: run, split: split, baseline: report.baseline)
    let written = try plots.writeAll(to: folder, kinds: plots.kinds)
    return TrainingOutcome(
      steps: result.steps, seconds: result.seconds, bestStep: result.bestStep, ending: result.ending, report: report,
      folder: folder, plots: written)
  }

  /// Says that mixed precision gains nothing on this machine.
  private func remarkOnPrecision() {
    guard settings.precision == .mixed, let set = Machine.instructionSet, set != .avx512bf16 else {
      return
    }
    progress.remark(
      "precision is mixed, but the instruction set \(set) has no bfloat16 products: values are rounded, and nothing is faster"
    )
  }

  private static func words(of step: StepReport) -> String {
    if let nll = step.nllNats { return "NLL \(Format.decimal(nll, digits: 3)) nats/sample" }
    return "loss \(Format.decimal(step.loss, digits: 4))"
  }

  /// What to do once a file of the run could not be written.
  private var resumeHint: String {
    "make room or change the permissions there, then cnf train --resume \(folder.path) continues from the last checkpoint"
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
        let value = Format.decimal(validation.result.nllNats, digits: 3)
        latest = "validation NLL \(value)\(validation.isBest ? "" : " (not the best)")"
      case .checkpoint: break
      }
    }
    do {
      return try trainer.run(shouldStop: { Interruption.signal != nil }, observer: observe)
    } catch let error as TrainingError {
      progress.clear()
      if case .notSaved(let cause, let problem) = error {
        throw CommandFailure(
          .other, "\(cause); and the state before that could not be saved: \(problem); \(resumeHint)")
      }
      throw CommandFailure(.other, "\(error); the state before that step is saved in \(folder.checkpointPath)")
    } catch let error as FlowIOError {
      progress.clear()
      throw CommandFailure(.other, "\(error); \(resumeHint)")
    }
  }
}
