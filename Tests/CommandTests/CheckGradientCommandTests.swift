import Testing

/// `cnf check-gradient`.
@Suite(.serialized, .timeLimit(.minutes(3))) struct CheckGradientCommandTests {
  @Test func checkGradient() throws {
    let outcome = try TrainedFolder.run("check-gradient", "run", "--samples", "2", "--trace", "hutchinson", "--json")
    Program.expectSuccess(outcome)
    let json = try outcome.json
    #expect(json["samples"] == 2 && json["trace"] == "hutchinson" && json["tolerance"]?.doubleValue == 1e-7)
    #expect(
      json["rows"]?.elements?.compactMap { $0["name"]?.text }.suffix(4) == [
        "a random direction", "states", "start time", "end time",
      ])
    #expect(json["right"] == true)
    #expect(json["rows"]?.elements?.allSatisfy { $0["continuous"]?.doubleValue ?? 0 != 0 } == true)
    let words = try TrainedFolder.run("check-gradient", "run", "--samples", "2", "--backend", "swift")
    Program.expectSuccess(words)
    #expect(
      words.output.contains("net.4.bias") && words.output.contains("right: largest error of the discrete gradient"))
    #expect(try TrainedFolder.run("check-gradient", "run", "--samples", "0").code == 64)
  }
}
