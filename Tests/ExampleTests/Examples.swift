import Foundation
import Testing

/// Runs the program `cnf-examples` as a process.
enum Examples {
  /// The path of the built program, which is in the folder of the test bundle.
  private static let path: String = {
    let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let candidates = [Bundle.main.bundleURL, own.deletingLastPathComponent()]
      .map { $0.pathExtension == "xctest" ? $0.deletingLastPathComponent() : $0 }
      .map { $0.appendingPathComponent("cnf-examples").path }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[0]
  }()

  /// Runs an example and returns its output. The test fails if the exit status is not 0.
  static func run(_ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMP_NUM_THREADS": "2"
    ]) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(arguments)")
    return String(decoding: output, as: UTF8.self)
  }

  /// The number that follows `words` in the output of an example.
  static func number(after words: String, in output: String) throws -> Double {
    let rest = try #require(output.range(of: words).map { output[$0.upperBound...] }, "no '\(words)' in: \(output)")
    let text = rest.drop { $0 == " " }.prefix { $0.isNumber || "+-.e".contains($0) }
    return try #require(Double(text), "no number after '\(words)' in: \(output)")
  }
}
