import FlowIO
import Testing

/// `cnf sample`.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SampleCommandTests {
  @Test func sampleWritesDoubles() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    let outcome = try TrainedFolder.run("sample", "run", "-n", "50", "--out", "s.npy", "--json")
    Program.expectSuccess(outcome)
    #expect(try outcome.json["count"] == 50)
    let samples = try NumPyFile.read(folder.file("s.npy"))
    #expect(samples.shape == [50, 2] && samples.elementType == .float64)
    // Sample i is the same whatever the count; CSV and standard output hold the same numbers.
    Program.expectSuccess(try TrainedFolder.run("sample", "run", "-n", "7", "--out", "s.csv"))
    #expect(try MatrixFile.read(folder.file("s.csv")).values == Array(samples.doubles().prefix(14)))
    let printed = try TrainedFolder.run("sample", "run", "-n", "7").output
    #expect(try printed == String(contentsOfFile: folder.file("s.csv"), encoding: .utf8))
    #expect(try TrainedFolder.run("sample", "run", "-n", "7", "--seed", "1").output != printed)
  }
}
