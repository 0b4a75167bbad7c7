import FlowIO
import Testing

/// `cnf logprob`.
@Suite(.serialized, .timeLimit(.minutes(3))) struct LogprobCommandTests {
  @Test func logprobWritesDoublesAndNaN() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    try folder.write("0.5,1\n1,-1\n2,0.25\n", to: "points.csv")
    let outcome = try TrainedFolder.run("logprob", "run", "--data", "points.csv", "--out", "l.npy", "--json")
    Program.expectSuccess(outcome)
    #expect(try outcome.json == ["count": 3, "failed": 0, "out": "l.npy"])
    let values = try NumPyFile.read(folder.file("l.npy"))
    #expect(values.shape == [3] && values.elementType == .float64 && values.doubles().allSatisfy { $0.isFinite })
    // A sample's log-density depends neither on other samples nor on the number of threads.
    try folder.write("2,0.25\n", to: "point.csv")
    let alone = try TrainedFolder.run("logprob", "run", "--data", "point.csv", "--threads", "1").output
    #expect(Double(alone.dropLast()) == values.doubles()[2])
    // One step is not enough for any sample.
    let failing = try TrainedFolder.run(
      "logprob", "run", "--data", "points.csv", "--out", "f.npy", "--solver-max-steps", "1")
    #expect(failing.code == 0 && failing.errors.contains("3 of 3 samples"))
    #expect(try NumPyFile.read(folder.file("f.npy")).doubles().allSatisfy { $0.isNaN })
  }

  @Test func theBackendsAgree() throws {
    let folder = try TemporaryFolder()
    try folder.write("0.5,1\n1,-1\n", to: "points.csv")
    let (trained, _) = try TrainedFolder.shared.get()
    func values(_ backend: String, _ solver: String) throws -> [Double] {
      let outcome = try Program.run(
        "logprob", trained.file("run"), "--data", "points.csv", "--backend", backend, "--solver", solver, in: folder)
      Program.expectSuccess(outcome)
      return outcome.output.split(separator: "\n").compactMap { Double($0) }
    }
    for solver in ["dopri5", "rodas4"] {
      for (first, second) in zip(try values("c", solver), try values("swift", solver)) {
        // Both solve to 1e-3 in float, with the same steps except for rounding.
        #expect(abs(first - second) < 1e-3)
      }
    }
  }
}
