import Foundation

/// A folder for one test, removed with it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("cnf-command-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  func write(_ text: String, to name: String) throws {
    try text.write(toFile: file(name), atomically: true, encoding: .utf8)
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

  /// Every file with its bytes, to check that nothing was overwritten.
  func contents(of name: String) throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for case let entry as String in FileManager.default.enumerator(atPath: file(name)) ?? .init() {
      contents[entry] = FileManager.default.contents(atPath: file("\(name)/\(entry)"))
    }
    return contents
  }
}
