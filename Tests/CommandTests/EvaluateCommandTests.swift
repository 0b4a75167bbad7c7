import Testing

/// `cnf evaluate`: its figures, and that flags of the solver reach it.
@Suite(.serialized, .timeLimit(.minutes(3))) struct EvaluateCommandTests {
  @Test func evaluateAgreesWithTraining() throws {
    let (_, training) = try TrainedFolder.shared.get()
    let outcome = try TrainedFolder.run("evaluate", "run", "--json")
    Program.expectSuccess(outcome)
    for key in TrainedFolder.evaluationKeys { #expect(try outcome.json[key] == training.json[key], "\(key)") }
    let other = try TrainedFolder.run(
      "evaluate", "run", "--data", "pinwheel", "--count", "30", "--data-seed", "9", "--json"
    ).json
    #expect(other["count"] == 30 && other["gaussian_nll_nats"] == nil)
    #expect(try TrainedFolder.run("evaluate", "run").output.contains("full-covariance Gaussian"))
  }

  /// With one step, no sample's solve ends. The report says so, and the figures are of no sample.
  @Test func samplesThatFailAreCounted() throws {
    let outcome = try TrainedFolder.run("evaluate", "run", "--solver-max-steps", "1", "--json")
    Program.expectSuccess(outcome)
    #expect(try outcome.json["failed"] == 40 && outcome.json["count"] == 40)
    let words = try TrainedFolder.run("evaluate", "run", "--solver-max-steps", "1").output
    #expect(words.contains("samples without a figure because their solve failed: 40\n"), "\(words)")
  }

  /// A method has two names.
  @Test func methodsHaveAliases() throws {
    let reports = try ["heun", "heun2"].map { name in
      let outcome = try TrainedFolder.run("evaluate", "run", "--json", "--solver", name, "--fixed-steps", "4")
      Program.expectSuccess(outcome)
      return try outcome.json
    }
    #expect(reports[0] == reports[1] && reports[0]["evaluations_mean"]?.doubleValue == 8)
  }

  /// The flags reach the solver: steps, and so numbers of evaluations, differ from those without; in both backends.
  @Test func controllersAndNormsAreHeeded() throws {
    func evaluations(_ flags: String...) throws -> Double {
      let (folder, _) = try TrainedFolder.shared.get()
      let arguments = ["evaluate", "run", "--json", "--rtol", "1e-5", "--atol", "1e-5"] + flags
      let outcome = try Program.start(arguments, in: folder).outcome()
      Program.expectSuccess(outcome)
      return try outcome.json["evaluations_mean"]?.doubleValue ?? .nan
    }
    let plain = try evaluations()
    #expect(try evaluations("--controller", "integral", "--norm", "rms") == plain)
    #expect(try evaluations("--norm", "max") > plain)
    let cautious = try evaluations("--controller", "pid:0.1,0.2,0.05")
    #expect(cautious != plain)
    // In float, rounding makes a few samples take one step of six evaluations more or less.
    #expect(abs(try evaluations("--controller", "pid:0.1,0.2,0.05", "--backend", "swift") - cautious) < 1)
  }
}
