import Testing

/// `cnf plot`.
@Suite(.serialized, .timeLimit(.minutes(3))) struct PlotCommandTests {
  @Test func plotDraws() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    for (kind, file) in [("paths", "p.svg"), ("training", "p.pdf"), ("density", "p.png")] {
      Program.expectSuccess(try TrainedFolder.run("plot", "run", "--kind", kind, "--out", file))
      #expect(folder.exists(file))
    }
    #expect(try TrainedFolder.run("plot", "run", "--kind", "samples", "--out", "q.png").code == 64)
    let all = try TrainedFolder.run("plot", "run", "--json")
    #expect(try all.json["plots"]?.elements?.count == 4)
  }
}
