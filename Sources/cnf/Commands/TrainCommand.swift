import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf train`: fit a flow to data, in a run folder of its own.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a flow on data, or go on with a run.",
    discussion: """
      Every flag that is left out has a default that suits the data; a file of settings (--config, YAML, one 'name: value' \
      on each line, the names being those of the flags) comes between the two. The resolved settings are written to \
      config.yaml in the run folder, beside checkpoint.safetensors (to go on from), best.safetensors (the flow of the best \
      validation), metrics.jsonl, TensorBoard events and plots.

      A tenth of the data is held out for the final figure and a tenth for validation (of the digits 360 and 72 of \
      1,797). Ctrl-C ends the run after the step, with a checkpoint written; --resume goes on from there. With --steps \
      alone, the same seed and data give the same weights bit for bit, also through --resume and at any number of threads.

      --model coupling, affine and linear are discrete flows: they solve nothing, so settings of solvers and fields are refused. \
      --blocks K trains K continuous flows in a row.

      A cosine falls to 0 at the end of the run. --resume with another --steps or --seconds stretches it over the new \
      length from there on: the run goes on, but not to the weights that the new length would have given from the start.

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

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to make for this run.", valueName: "folder"))
  var out: String?

  @Option(help: ArgumentHelp("A YAML file of settings, below the flags.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Go on with the run in this folder, by its own settings; only how long it runs (which also stretches a cosine "
        + "schedule), how often it looks up, and --threads may be given anew.", valueName: "folder"))
  var resume: String?

  @OptionGroup(title: "Data") var data: DataOptions
  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Models with outputs") var outputs: OutputModelOptions
  @OptionGroup(title: "Training") var optimiser: OptimiserFlags
  @OptionGroup(title: "Run") var pace: TrainingRunFlags
  @OptionGroup(title: "Solver") var solver: SolverFlags
  @OptionGroup(title: "Solver of validation and evaluation") var evaluation: EvaluationFlags
  @OptionGroup(title: "Machine") var machine: MachineFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    try Kernels.instructionSet()
    let session = try session()
    let outcome = try session.run()
    try output.json ? output.print(outcome.json) : outcome.print()
  }

  private var flags: SettingsLayer {
    get throws {
      let layers = try [
        data.settings, model.settings, outputs.settings, optimiser.settings, pace.settings, solver.trainingSettings,
        evaluation.settings,
        machine.settings,
      ]
      return layers.reduce(SettingsLayer()) { $0.overlaid(with: $1) }
    }
  }

  private func session() throws -> any TrainingCall {
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
      return try Self.session(of: kind.type, resuming: resume, overrides: flags, isQuiet: output.quiet)
    }
    guard let out, !out.isEmpty else {
      throw CommandFailure(.usage, "there is no folder for the run: name one with --out, such as --out runs/first")
    }
    let file = try config.map { try SettingsLayer(contentsOf: $0) } ?? SettingsLayer()
    let flags = try flags
    let settings = try file.overlaid(with: flags).resolved(origin: config ?? "the command line")
    return try Self.session(
      of: settings.modelKind.type, settings: settings, flags: flags, out: out, isQuiet: output.quiet)
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
