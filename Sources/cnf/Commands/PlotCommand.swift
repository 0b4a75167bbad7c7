import ArgumentParser
import ContinuousFlows
import FlowIO
import FlowPlots

/// `cnf plot`: the pictures of a run.
struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draw a trained flow: density, samples, particles, training curve.",
    discussion: """
      Without --out all pictures that suit the run are drawn into its folder plots/: for two-dimensional data the density \
      beside samples and data, and particles on their way from t = 0 to T; for the digits a grid of samples, of a flow \
      conditioned on their classes a row for each; for every run the training curve, and for those that solve the evaluations \
      of the field. With --out one picture is drawn, as .png, .svg or .pdf: the first that suits, or --kind.

      Examples:
        cnf plot runs/pinwheel
        cnf plot runs/pinwheel --kind particles --out particles.svg
        cnf plot runs/plain --kind evaluations --beside runs/regularised --out evaluations.png
      """)

  @OptionGroup var target: RunArgument

  @Option(help: ArgumentHelp("\(PlotKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
  var kind: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("The .png, .svg or .pdf file to write.", valueName: "file"))
  var out: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Runs to show beside it in a plot of evaluations.", valueName: "runs"))
  var beside: [String] = []

  @OptionGroup(title: "Solver") var solver: SolverFlags
  @OptionGroup(title: "Machine") var machine: MachineFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    let asked = try kind.map(Self.kind)
    if let out { _ = try PlotFormat(path: out) }
    let trained = try target.open(solver: solver, machine: machine)
    guard let folder = trained.folder else {
      throw CommandFailure(.usage, "\(trained.path) is a flow without its run: name the run's folder to plot it")
    }
    guard beside.isEmpty || asked == .evaluations else {
      throw CommandFailure(.usage, "--beside is for a plot of evaluations: give --kind evaluations with it")
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
      let mend = Suggestion.sentence(for: word, among: PlotKind.allCases.map(\.rawValue))
      throw CommandFailure(.usage, "there is no plot '\(word)': \(mend)")
    }
    return kind
  }
}
