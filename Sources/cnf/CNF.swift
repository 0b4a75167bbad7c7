import ArgumentParser
import ContinuousFlows

/// The command line. Each subcommand is one file in `Commands`; each section of settings is a folder.
@main
struct CNF: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cnf",
    abstract: "Continuous normalizing flows on CPUs: train a density model, sample it, compute log p(x).",
    discussion: """
      cnf train fits a model to a table of numbers and keeps it in a run folder, with its settings, checkpoints, metrics and \
      plots. The other commands take that folder. Results go to standard output (as JSON with --json), progress to standard \
      error.

      A first run takes half a minute:
        cnf train --data pinwheel --out runs/pinwheel --seconds 30
        cnf sample runs/pinwheel -n 1000 --out samples.npy
        cnf logprob runs/pinwheel --data samples.npy --out logp.npy
        cnf evaluate runs/pinwheel

      Exit codes: 0 success, 64 wrong usage, 65 bad data, 130 or 143 stopped by a signal, 1 any other failure.
      """,
    version: Machine.kernelVersion,
    subcommands: [
      TrainCommand.self, SettingsCommand.self, SampleCommand.self, LogProbabilityCommand.self, PredictCommand.self,
      EvaluateCommand.self,
      PlotCommand.self, CheckGradientCommand.self, InfoCommand.self, BenchCommand.self, DatasetsCommand.self,
    ])

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      try checkSubcommand(arguments)
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch {
      Ending.exit(with: error, of: Self.self, subcommand: arguments.first { names.contains($0) })
    }
  }

  private static var names: [String] {
    configuration.subcommands.compactMap { $0.configuration.commandName }
  }

  /// Suggests a command for a misspelt one, which the argument parser does not.
  private static func checkSubcommand(_ arguments: [String]) throws {
    guard let word = arguments.first, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return }
    throw CommandFailure(
      .usage, "there is no command '\(word)': \(Suggestion.sentence(for: word, among: names)) (cnf --help tells more)")
  }
}
