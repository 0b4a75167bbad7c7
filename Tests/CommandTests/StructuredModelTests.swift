import FlowIO
import Foundation
import Testing

/// `cnf train --model hamiltonian` and `--model potential`, and the other commands on their runs.
@Suite(.serialized, .timeLimit(.minutes(3))) struct StructuredModelTests {
  private let folder = try! TemporaryFolder()

  private func run(_ arguments: String...) throws -> Program.Outcome {
    try Program.start(arguments, in: folder).outcome()
  }

  /// Trains, resumes, and runs every command for densities.
  private func follow(_ model: String, _ flags: [String], configuration: [String]) throws {
    let common = ["--data", "moons", "--count", "200", "--batch-size", "32", "--validation-interval", "5", "--json"]
    let train = ["train", "--model", model, "--out", model] + common + flags
    let first = try Program.start(train + ["--steps", "10"], in: folder).outcome()
    Program.expectSuccess(first)
    #expect(try first.json["failed"] == 0)
    let text = try String(contentsOfFile: folder.file("\(model)/config.yaml"), encoding: .utf8)
    for line in configuration + ["model: \(model)"] { #expect(text.contains("\(line)\n"), "\(line) in \(text)") }
    let resumed = try run("train", "--resume", model, "--steps", "14", "--json")
    Program.expectSuccess(resumed)
    #expect(try resumed.json["steps"] == 14)
    let evaluated = try run("evaluate", model, "--json")
    Program.expectSuccess(evaluated)
    #expect(try evaluated.json["failed"] == 0)
    Program.expectSuccess(try run("sample", model, "-n", "7", "--out", "samples.npy"))
    #expect(try NumPyFile.read("\(folder.path)/samples.npy").shape == [7, 2])
    Program.expectSuccess(try run("logprob", model, "--data", "samples.npy", "--out", "logp.npy"))
    Program.expectSuccess(try run("plot", model))
    #expect(folder.exists("\(model)/plots/density.png"))
    #expect(try Program.run("check-gradient", model, "--samples", "1", in: folder).code == 0)
  }

  @Test func hamiltonianFlows() throws {
    try follow(
      "hamiltonian", ["--hidden", "8,8", "--separable", "--solver", "leapfrog", "--fixed-steps", "4"],
      configuration: ["separable: true", "base: full-gaussian"])
  }

  @Test func potentialFlows() throws {
    try follow(
      "potential", ["--hidden", "8,8", "--fixed-steps", "4", "--transport", "0.02"],
      configuration: ["transport: 0.02", "hjb: 0.15", "activation: logcosh", "solver: rk4"])
  }

  @Test(arguments: [
    (["--model", "potential", "--hidden", "8"], ["hidden is [8]", "two or more"]),
    (["--model", "potential", "--hidden", "8,9"], ["hidden is [8, 9]", "one width"]),
    (["--model", "potential", "--activation", "relu"], ["activation is relu", "smooth"]),
    (["--model", "potential", "--kinetic", "0.1"], ["weighted by transport and hjb", "leave --kinetic out"]),
    (["--model", "potential", "--residual"], ["residual is true", "model potential", "leave --residual out"]),
    (
      ["--model", "hamiltonian", "--objective", "flow-matching"],
      ["model hamiltonian is trained by likelihood", "leave --objective out"]
    ),
    (["--model", "hamiltonian", "--base", "uniform"], ["base is uniform"]),
    (["--model", "hamiltonian", "--transport", "0.1"], ["--model potential"]),
    (["--separable"], ["separable is true", "model flow", "--model hamiltonian"]),
    (["--model", "potential", "--no-residual"], ["residual is false", "leave --no-residual out"]),
    (
      ["--model", "stacked", "--objective", "flow-matching", "--solver", "rk4"],
      ["objective is flow-matching", "model stacked is trained by likelihood", "leave --objective out"]
    ),
    (["--model", "potential", "--hjb", "-1"], ["hjb is -1"]),
    (["--model", "potental"], ["'potental'", "did you mean 'potential'"]),
  ])
  func refusals(flags: [String], words: [String]) throws {
    let outcome = try Program.start(["train", "--out", "new", "--data", "moons"] + flags, in: folder).outcome()
    #expect(outcome.code == 64)
    for word in words { #expect(outcome.errors.contains(word), "no '\(word)' in: \(outcome.errors)") }
    #expect(!folder.exists("new"))
  }

  @Test func positionsNeedMomenta() throws {
    let rows = (0..<30).map { "\($0 % 7),\($0 % 5),\($0 % 3)" }.joined(separator: "\n")
    try rows.write(toFile: folder.file("three.csv"), atomically: true, encoding: .utf8)
    let outcome = try run("train", "--out", "new", "--data", "three.csv", "--model", "hamiltonian", "--steps", "1")
    #expect(outcome.code == 64 && outcome.errors.contains("as many momenta"))
    #expect(!folder.exists("new"))
  }
}
