import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf train`: fit a model to data, in a run folder.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model on data, or continue a run.",
    discussion: """
      Type what to train on and a folder for the run; every other flag has a default that suits data and model. You get the \
      folder, with config.yaml (all settings), checkpoint.safetensors (to continue from), best.safetensors (the model with the \
      best validation), metrics.jsonl, TensorBoard events and plots/, and the NLL of held-out samples in nats per sample, lower \
      is better.

      Settings: a flag overrides the YAML file of --config, and the file overrides the defaults. Lines of the file are \
      'name: value', named as the flags. A setting that the model or the objective does not use is refused. cnf settings shows what a call would use, \
      and who uses each setting.

      Data: a tenth of the samples is held out for the final figure and a tenth is for validation (360 and 72 of the 1,797 \
      digits).

      Stopping: Ctrl-C ends the run after the current step and writes a checkpoint; --resume continues it. With --steps and \
      without --seconds, the same seed and data give the same weights bit for bit, also through --resume and with any number of \
      threads. A cosine schedule ends at the end of the run: --resume with other --steps or --seconds stretches it over the new \
      length from there on.

      Examples:
        cnf train --data pinwheel --out runs/pinwheel
        cnf train --data digits --out runs/digits --seconds 120
        cnf train --data digits --condition labels --out runs/digits-by-class
        cnf train --data points.csv --out runs/points --hidden 128,128 --steps 5000
        cnf train --data two-spirals --out runs/spirals --blocks 2 --hidden 32,32
        cnf train --data pinwheel --out runs/coupling --model coupling --depth 10 --hidden 100,100
        cnf train --config runs/pinwheel/config.yaml --seed 1 --out runs/again
        cnf train --resume runs/pinwheel
        cnf train --model classifier --data digits --out runs/classes
      """)

  /// Where a run comes from, and where it goes.
  struct Folders: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("Folder to create for this run. Required.", valueName: "folder"))
    var out: String?

    @Option(help: ArgumentHelp("YAML file of settings; flags replace its values.", valueName: "file"))
    var config: String?

    @Option(
      help: ArgumentHelp(
        "Continue the run in this folder by its own settings. Only these may be given anew: \(Self.changeable).",
        valueName: "folder"))
    var resume: String?

    private static let changeable = SettingsRegistry.all.filter { $0.traits.contains(.changesOnResume) }
      .map { "--\($0.key)" }.joined(separator: ", ")
  }

  @OptionGroup(title: "Run folder") var folders: Folders
  @OptionGroup var settings: AllSettingFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    try Kernels.instructionSet()
    let session = try session()
    let outcome = try session.run()
    try output.json ? output.print(outcome.json) : outcome.print()
  }

  private func session() throws -> any TrainingCall {
    let (out, config, resume) = (folders.out, folders.config, folders.resume)
    if let resume {
      guard !resume.isEmpty else {
        throw CommandFailure(.usage, "--resume is empty: name the folder of a run")
      }
      guard out == nil, config == nil else {
        throw CommandFailure(
          .usage,
          "\(out == nil ? "--config" : "--out") does not go with --resume, which takes settings and folder from "
            + "the run: leave one of them out")
      }
      let kind = try ModelKind(ofRunAt: resume)
      return try Self.session(of: kind.type, resuming: resume, overrides: settings.layer, isQuiet: output.quiet)
    }
    guard let out, !out.isEmpty else {
      throw CommandFailure(.usage, "there is no folder for the run: name one with --out, such as --out runs/first")
    }
    let flags = try settings.layer
    let resolved = try settings.resolved(config: config)
    let kind = resolved.model
    return try Self.session(
      of: kind.type, settings: resolved, flags: flags, out: out, isQuiet: output.quiet)
  }

  private static func session<Model: RunModel>(
    of type: Model.Type, settings: Settings, flags: SettingsLayer, out: String, isQuiet: Bool
  ) throws -> any TrainingCall {
    try TrainingSession<Model>(settings: settings, flags: flags, out: out, isQuiet: isQuiet)
  }

  private static func session<Model: RunModel>(
    of type: Model.Type, resuming path: String, overrides: SettingsLayer, isQuiet: Bool
  ) throws -> any TrainingCall {
    try TrainingSession<Model>(resuming: path, overrides: overrides, isQuiet: isQuiet)
  }
}
