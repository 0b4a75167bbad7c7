import ArgumentParser
import ContinuousFlows
import FlowIO
import FlowPlots

/// `cnf plot`: the plots of a run.
struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Plot a run: density, samples, paths of samples, training curve.",
    discussion: """
      Type a run folder. You get every plot that suits the run as PNG in its folder plots/, and their paths on standard output:
        density      data, samples and density next to each other (two-dimensional data)
        paths        paths of samples from base to data (two-dimensional data)
        samples      images of the digits next to sampled ones; a row per class for a flow conditioned on classes
        classes      predicted classes over the plane (classifiers of two-dimensional data)
        training     NLL over the steps of training
        evaluations  field evaluations per sample over the steps of training (models that solve in training)

      With --out you get one plot as .png, .svg or .pdf: the one of --kind, or the first that suits.

      Examples:
        cnf plot runs/pinwheel
        cnf plot runs/pinwheel --kind paths --out paths.svg
        cnf plot runs/plain --kind evaluations --beside runs/regularised --out evaluations.png
      """)

  @OptionGroup var target: RunArgument

  @Option(
    help: ArgumentHelp("One of \(PlotKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
  var kind: String?

  @Option(name: .shortAndLong, help: ArgumentHelp(".png, .svg or .pdf file to write.", valueName: "file"))
  var out: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Other runs to show in a plot of evaluations.", valueName: "runs"))
  var beside: [String] = []

  @OptionGroup(title: "Solver") var solver: SettingFlags<TrainedSolver>
  @OptionGroup(title: MachineSettings.title) var machine: SettingFlags<TrainedMachine>
  @OptionGroup var output: OutputOptions

  func run() throws {
    let asked = try kind.map(Self.kind)
    if let out { _ = try PlotFormat(path: out) }
    let trained = try target.open(solver: solver, machine: machine)
    guard let folder = trained.folder else {
      throw CommandFailure(.usage, "\(trained.path) is a model without its run: name the run's folder to plot it")
    }
    guard beside.isEmpty || asked == .evaluations else {
      throw CommandFailure(.usage, "--beside is only for a plot of evaluations: give --kind evaluations with it")
    }
    let plots = try RunPlots(of: trained, beside: try beside.map { try TrainedRun(path: $0) })
    let written: [String]
    if let out {
      try plots.write(asked ?? plots.kinds[0], to: out)
      written = [out]
    } else if let asked {
      written = try plots.writeAll(to: folder, kinds: [asked])
    } else {
      written = try plots.writeAll(to: folder, kinds: plots.kinds)
    }
    if output.json {
      try output.print(["plots": .array(written.map { .string($0) })])
    } else {
      for path in written { try Terminal.result(path) }
    }
  }

  private static func kind(_ word: String) throws -> PlotKind {
    guard let kind = PlotKind(rawValue: word) else {
      let fix = Suggestion.sentence(for: word, among: PlotKind.allCases.map(\.rawValue))
      throw CommandFailure(.usage, "there is no plot '\(word)': \(fix)")
    }
    return kind
  }
}
