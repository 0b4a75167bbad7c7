import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf predict`: outputs of a classifier or regression for samples.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Predict classes or targets of samples.",
    discussion: """
      Type a run of a classifier or regression and samples (--data) with the columns that the model was trained on, without \
      targets or classes. You get the class of each sample (float64, one number per sample). --probabilities FILE also \
      writes the probability of every class (float64, one row per sample). A regression gives its outputs (float64, one row per \
      sample). --out names a \
      .npy or .csv file; without it the predictions go to standard output, one per line.

      A sample's prediction does not depend on the other samples. A sample whose solve fails gets NaN, and standard error says \
      how many there are.

      Examples:
        cnf train --model classifier --data digits --out runs/digits
        cnf predict runs/digits --data new.npy --out classes.npy --probabilities probabilities.npy
      """)

  @OptionGroup var target: RunArgument
  @OptionGroup(title: "Data") var selection: DataSelection

  @Option(name: .shortAndLong, help: ArgumentHelp(".npy or .csv file to write.", valueName: "file"))
  var out: String?

  @Option(help: ArgumentHelp(".npy or .csv file to write the probabilities of all classes to.", valueName: "file"))
  var probabilities: String?

  @OptionGroup(title: "Solver") var solver: SettingFlags<TrainedSolver>
  @OptionGroup(title: MachineSettings.title) var machine: SettingFlags<TrainedMachine>
  @OptionGroup var output: OutputOptions

  func run() throws {
    let format = try out.map { try ResultFile(path: $0) }
    let probabilityFormat = try probabilities.map { try ResultFile(path: $0) }
    let trained = try target.open(solver: solver, machine: machine)
    let model = try trained.outputs(for: "predict")
    guard probabilities == nil || model.task == .classification else {
      throw CommandFailure(
        .usage, "\(trained.path) is a regression, which has no probabilities: leave --probabilities out")
    }
    guard let dataset = try selection.load(for: model) else {
      throw CommandFailure(.usage, "there are no samples to predict: name them with --data")
    }
    let settings = trained.settings
    let found = try model.predictions(
      for: dataset.samples, options: settings.evaluationSolverOptions, backend: settings.backend)
    let classes = found.classes.map { $0.map(Double.init) ?? .nan }
    if model.task == .classification {
      try format?.write(column: classes)
      let all = found.probabilities
      try probabilityFormat?.write(all.values, count: all.count, columns: all.dimension)
    } else {
      try format?.write(found.outputs.values, count: found.outputs.count, columns: found.outputs.dimension)
    }
    if found.failed > 0 {
      Terminal.remark(
        "cnf: \(found.failed) of \(dataset.count) samples have no prediction (NaN): try looser tolerances or a larger "
          + "--solver-max-steps")
    }
    try output.json ? printJSON(found, model) : printLines(found, model)
  }

  private func printLines(_ found: Predictions, _ model: NeuralODEModel) throws {
    guard out == nil else { return }
    if model.task == .classification {
      for number in found.classes { try Terminal.result(number.map(String.init) ?? "nan") }
    } else {
      for sample in 0..<found.outputs.count {
        try Terminal.result(found.outputs[sample].map(\.description).joined(separator: ","))
      }
    }
  }

  private func printJSON(_ found: Predictions, _ model: NeuralODEModel) throws {
    var result: [(key: String, value: JSONValue)] = [
      ("count", .integer(found.statuses.count)), ("failed", .integer(found.failed)),
    ]
    if let out {
      result.append(("out", .string(out)))
    } else if model.task == .classification {
      result.append(("classes", .array(found.classes.map { $0.map { .integer($0) } ?? .number(.nan) })))
    } else {
      let rows = (0..<found.outputs.count).map { sample in
        JSONValue.array(found.outputs[sample].map { .number($0) })
      }
      result.append(("outputs", .array(rows)))
    }
    if let probabilities { result.append(("probabilities", .string(probabilities))) }
    try output.print(.object(result))
  }
}
