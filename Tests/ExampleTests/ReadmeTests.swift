import Foundation
import Testing

/// The Swift lines of the README are lines of the first example, which `ExampleTests` runs.
@Suite struct ReadmeTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The lines of a file, without indentation and empty lines.
  private func lines(of path: String) throws -> [String] {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
      .split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }

  @Test func swiftLinesAreAnExample() throws {
    let readme = try lines(of: "README.md")
    let start = try #require(readme.firstIndex(of: "```swift"), "README.md has no block of Swift")
    let block = readme[(start + 1)...].prefix { $0 != "```" }
    let example = Set(try lines(of: "Examples/swift/First.swift"))
    #expect(block.count >= 8)
    for line in block { #expect(example.contains(line), "not in First.swift: \(line)") }
  }
}
