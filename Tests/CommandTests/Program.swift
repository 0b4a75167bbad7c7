import FlowIO
import Foundation
import Testing

/// The program `cnf` as users run it, in a process of its own.
enum Program {
  /// How a call ended.
  struct Outcome {
    /// Exit code, or 128 + the signal that killed it.
    let code: Int32
    let output: String
    let errors: String

    /// The result of a call with `--json`: exactly one line, one JSON value.
    var json: JSONValue {
      get throws {
        #expect(output.hasSuffix("\n") && output.filter { $0 == "\n" }.count == 1, "not one line: \(output)")
        return try JSONValue(parsing: output)
      }
    }
  }

  /// The built program, in the folder that also holds the test bundle.
  static let path: String = {
    let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let candidates = [Bundle.main.bundleURL, own.deletingLastPathComponent()]
      .map { $0.pathExtension == "xctest" ? $0.deletingLastPathComponent() : $0 }
      .map { $0.appendingPathComponent("cnf").path }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[0]
  }()

  /// Starts `cnf` with two threads that do not spin while they wait, because tests run side by side. Its output goes to
  /// files, so that no pipe can fill up.
  ///
  /// - Parameters:
  ///   - outputPath: where standard output goes; nil: a file of its own.
  ///   - errorPath: the same of standard error.
  ///   - program: the file of the program.
  ///   - limits: a shell's command that limits the process, such as `ulimit -v 1000000`; nil: none.
  static func start(
    _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:], outputPath: String? = nil,
    errorPath: String? = nil, program: String = path, limits: String? = nil
  ) throws -> RunningProgram {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: limits == nil ? program : "/bin/sh")
    process.arguments = limits.map { ["-c", "\($0); exec \"$0\" \"$@\"", program] + arguments } ?? arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMP_NUM_THREADS": "2"
    ]) { $1 }
    .merging(environment) { $1 }
    let name = UUID().uuidString
    let (output, errors) = (folder.file(".\(name).out"), folder.file(".\(name).err"))
    for file in [output, errors] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    process.standardOutput = FileHandle(forWritingAtPath: outputPath ?? output)
    process.standardError = FileHandle(forWritingAtPath: errorPath ?? errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return RunningProgram(process: process, outputPath: output, errorPath: errors)
  }

  /// Runs `cnf` to its end.
  static func run(
    _ arguments: String..., in folder: TemporaryFolder, environment: [String: String] = [:]
  ) throws -> Outcome {
    try start(arguments, in: folder, environment: environment).outcome()
  }

  static func expectSuccess(_ outcome: Outcome, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(outcome.code == 0, "\(outcome.errors)", sourceLocation: sourceLocation)
  }
}

/// A call of `cnf` that has begun.
struct RunningProgram {
  let process: Process
  let outputPath: String
  let errorPath: String

  /// Waits for the end.
  func outcome() throws -> Program.Outcome {
    process.waitUntilExit()
    let code =
      process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
    return Program.Outcome(
      code: code, output: try String(contentsOfFile: outputPath, encoding: .utf8),
      errors: try String(contentsOfFile: errorPath, encoding: .utf8))
  }

  /// Waits until `condition` holds; false if the program ends first, or half a minute passes.
  func wait(until condition: () -> Bool) -> Bool {
    for _ in 0..<6000 {
      if condition() { return true }
      guard process.isRunning else { return condition() }
      usleep(5000)
    }
    return false
  }
}
