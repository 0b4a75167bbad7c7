import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct RunFolderTests {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  @Test func isMadeWithItsParents() throws {
    let folder = try RunFolder.create(at: temporary.file("a/b/c/"))
    #expect(FileManager.default.fileExists(atPath: folder.path))
  }

  @Test(arguments: ["config.yaml", "checkpoint.safetensors", "best.safetensors", "metrics.jsonl"])
  func aFolderThatHoldsARunIsRefused(name: String) throws {
    try Data("x".utf8).write(to: URL(fileURLWithPath: temporary.file(name)))
    #expect(throws: RunFolderError.holdsRun(path: temporary.path, file: name)) {
      try RunFolder.create(at: temporary.path)
    }
    #expect(FileManager.default.contents(atPath: temporary.file(name)) == Data("x".utf8))
  }

  @Test func aFileIsNoFolder() throws {
    let path = temporary.file("file")
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(throws: RunFolderError.self) { try RunFolder.create(at: path) }
    #expect(throws: RunFolderError.self) { try RunFolder.create(at: path + "/below") }
  }

  @Test func nothingToResumeIsSaid() {
    #expect(throws: RunFolderError.noCheckpoint(path: temporary.path)) { try RunFolder.open(at: temporary.path) }
  }
}
