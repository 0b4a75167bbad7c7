import ArgumentParser
import CLibrary
import ContinuousFlows
import FlowBenchmarks
import FlowIO
import FlowPlots

/// How the program ends when a command throws: with one sentence on standard error, and the exit code of the failure.
enum Ending {
  /// Ends the process.
  ///
  /// - Parameter subcommand: the one that was called; nil: none.
  static func exit(with error: any Error, of command: (some ParsableCommand).Type, subcommand: String?) -> Never {
    if let failure = failure(for: error) { leave(with: failure) }
    // The parser reports a request for help or version as an error that means success.
    if command.exitCode(for: error) == .success {
      do {
        try Terminal.result(command.fullMessage(for: error))
      } catch {
        leave(with: error)
      }
      leave(0)
    }
    let name = ([command.configuration.commandName] + [subcommand]).compactMap { $0 }.joined(separator: " ")
    Terminal.remark("cnf: \(sentence(command.message(for: error))) (\(name) --help tells more)")
    leave(CommandFailure.Kind.usage.exitCode)
  }

  /// The failure that an error of this program or its modules means for a user; nil: it is the argument parser's own.
  static func failure(for error: any Error) -> CommandFailure? {
    switch error {
    case let failure as CommandFailure: failure
    case let error as DataError:
      switch error {
      case .unknownName: CommandFailure(.usage, error.description)
      case .resource: CommandFailure(.other, error.description)
      default: CommandFailure(.badData, error.description)
      }
    case let error as FlowIOError:
      switch error {
      case .system: CommandFailure(.other, error.description)
      case .unknownExtension: CommandFailure(.usage, error.description)
      default: CommandFailure(.badData, error.description)
      }
    case let error as PlotError:
      if case .unknownFormat = error {
        CommandFailure(.usage, error.description)
      } else {
        CommandFailure(.other, error.description)
      }
    case let error as KernelError:
      switch error {
      case .unknownMethod, .invalidOption: CommandFailure(.usage, error.description)
      default: CommandFailure(.other, error.description)
      }
    case let error as TrainingError:
      switch error {
      case .invalidOption: CommandFailure(.usage, error.description)
      case .dimensionMismatch, .noSamples, .outsideRange, .stateMismatch, .outsideLogitRange, .contextMismatch,
        .contextNotAClass:
        CommandFailure(.badData, error.description)
      case .solveFailed, .lossNotFinite, .gradientNotFinite, .notSaved: CommandFailure(.other, error.description)
      }
    case let error as RunFolderError:
      switch error {
      case .holdsRun(let path, let file):
        CommandFailure(
          .usage,
          "\(path) holds a run already (\(file)): continue it with cnf train --resume \(path), or name another folder "
            + "with --out")
      case .noCheckpoint: CommandFailure(.badData, error.description)
      case .cannotCreate: CommandFailure(.other, error.description + ": name another folder")
      case .notWritable: CommandFailure(.other, error.description)
      }
    case let error as BenchmarkError: CommandFailure(.other, error.description)
    case let error as FlowFileError: CommandFailure(.badData, error.description)
    case let error as SolveFailure:
      CommandFailure(.other, error.description + ": try looser tolerances or a larger --solver-max-steps")
    default: nil
    }
  }

  /// One line, without the full stop that some libraries write.
  private static func sentence(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.hasSuffix(".") ? String(line.dropLast()) : line
  }

  private static func leave(with failure: CommandFailure) -> Never {
    Terminal.remark("cnf: \(sentence(failure.message))")
    leave(failure.kind.exitCode)
  }

  private static func leave(_ code: Int32) -> Never {
    CLibrary.exit(code)
  }
}
