import FlowIO
import Foundation
import Testing

@Suite struct DurableFileTests {
  @Test func replacesTheFileAndLeavesNoTemporaryFile() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a")
    try DurableFile.write(path, [1, 2, 3])
    try DurableFile.write(path, [4])
    #expect(try readBytes(path) == [4])
    try DurableFile.write(path, [])
    // Only the size is checked, because Foundation leaks a page when it reads an empty file.
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int == 0)
    #expect(try directory.names == ["a"])
  }

  @Test func largeFiles() throws {
    let directory = try TemporaryDirectory()
    let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0) }
    try DurableFile.write(directory.file("a"), bytes)
    #expect(try readBytes(directory.file("a")) == bytes)
  }

  /// Files of killed processes have no lock; those of living ones have one. Other names are not touched.
  @Test func abandonedTemporaryFilesAreRemoved() throws {
    let directory = try TemporaryDirectory()
    let others = [".b.1z.tmp", ".a.tmp", ".a.no tag.tmp", "a.1z.tmp", ".a.1z.tmp.x"]
    for name in others + [".a.1z.tmp", ".a.0.tmp", ".a.zz9.tmp"] {
      _ = try directory.file(name, holding: "x")
    }
    let descriptor = open(directory.file(".a.zz9.tmp"), O_RDONLY)
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    try DurableFile.write(directory.file("a"), [1])
    #expect(try Set(directory.names) == Set(others + ["a", ".a.zz9.tmp"]))
    close(descriptor)
    DurableFile.removeAbandoned(for: directory.file("a"))
    #expect(try Set(directory.names) == Set(others + ["a"]))
    DurableFile.removeAbandoned(for: "/nowhere/a")
  }

  @Test func longNames() throws {
    let directory = try TemporaryDirectory()
    let name = String(repeating: "n", count: 255)
    try DurableFile.write(directory.file(name), [1])
    #expect(try directory.names == [name])
  }

  @Test func missingDirectory() {
    let found = error { () throws(FlowIOError) in try DurableFile.write("/nowhere/a.npy", [1]) }
    #expect(found?.description == "cannot create /nowhere/a.npy: No such file or directory")
  }

  @Test func directoriesAreNotReplaced() throws {
    let directory = try TemporaryDirectory()
    let found = error { () throws(FlowIOError) in try DurableFile.write(directory.path, [1]) }
    #expect(found?.description.hasPrefix("cannot write \(directory.path): it is a directory") == true)
    #expect(try directory.names == [])
    #expect(throws: FlowIOError.self) { try CSVTable.read(directory.path) }
  }

  @Test func failedRenameRemovesTheTemporaryFile() throws {
    let directory = try TemporaryDirectory()
    // A name too long for the file system. Only the rename fails, because the temporary name is shorter.
    let name = String(repeating: "n", count: 256)
    let found = error { () throws(FlowIOError) in try DurableFile.write(directory.file(name), [1]) }
    #expect(found?.description.contains("File name too long") == true)
    #expect(try directory.names == [])
  }

  @Test func fullDiskIsReported() {
    let found = error { () throws(FlowIOError) in try DurableFile.write("/dev/full", [1]) }
    #expect(found == .system(path: "/dev/full", operation: "write", reason: "No space left on device"))
  }

  @Test func devicesAreWrittenToNotReplaced() throws {
    try DurableFile.write("/dev/null", [1])
    let kind = try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
    #expect(kind == .typeCharacterSpecial)
  }

  @Test func filesOfUnknownSizeAreRead() throws {
    // Files in /proc report a size of 0.
    #expect(try CSVTable.read("/proc/uptime").columns == 2)
  }
}
