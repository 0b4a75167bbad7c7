import Testing

/// What the program says of itself: machine, data sets, help.
@Suite(.serialized, .timeLimit(.minutes(3))) struct InformationTests {
  @Test func info() throws {
    let outcome = try TrainedFolder.run("info", "--json")
    Program.expectSuccess(outcome)
    let json = try outcome.json
    #expect(json.members?.map(\.key) == ["version", "isa", "threads", "blas"])
    #expect(json["threads"]?.integerValue == 2)
    #expect(try TrainedFolder.run("info").output.contains("isa "))
    #expect(try TrainedFolder.run("--version").output == "\(json["version"]?.text ?? "")\n")
  }

  @Test func datasets() throws {
    let outcome = try TrainedFolder.run("datasets", "--json")
    let names = try outcome.json.elements?.compactMap { $0["name"]?.text }
    let expected = [
      "pinwheel", "eight-gaussians", "moons", "circles", "checkerboard", "two-spirals", "swiss-roll", "rings",
      "concentric", "digits",
    ]
    #expect(names == expected)
    #expect(try outcome.json.elements?.last?["dimension"] == 64)
    let lines = try TrainedFolder.run("datasets").output.split(separator: "\n")
    #expect(zip(lines, expected).allSatisfy { $0.hasPrefix($1) } && lines.count == expected.count)
  }

  @Test func everyCommandHasHelp() throws {
    for command in ["train", "sample", "logprob", "evaluate", "plot", "info", "bench", "datasets"] {
      let outcome = try TrainedFolder.run(command, "--help")
      #expect(outcome.code == 0 && outcome.output.contains("OVERVIEW") && outcome.errors.isEmpty)
    }
    #expect(try TrainedFolder.run("--help").output.contains("Exit codes"))
  }
}
