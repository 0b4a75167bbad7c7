import FlowIO
import Foundation
import Testing

/// Diffusion models on the command line, from training to plots.
@Suite struct DiffusionCommandTests {
  private static func train(_ run: String, _ flags: [String], in folder: TemporaryFolder) throws -> Program.Outcome {
    try Program.start(
      ["train", "--out", run, "--objective", "score-matching", "--quiet", "--json"]
        + TrainedFolder.smallRunWithoutSolves + flags,
      in: folder
    ).outcome()
  }

  @Test(arguments: ["vp", "ve", "sub-vp"])
  func everySubcommandKnowsThem(process: String) throws {
    let folder = try TemporaryFolder()
    let trained = try Self.train("run", ["--process", process, "--weighting", "likelihood"], in: folder)
    #expect(trained.code == 0, "\(trained.errors)")
    #expect(try trained.json["steps"] == 40 && trained.json["failed"] == 0)
    let configuration = try String(contentsOfFile: folder.file("run/config.yaml"), encoding: .utf8)
    for line in ["model: diffusion", "objective: score-matching", "process: \(process)", "weighting: likelihood"] {
      #expect(configuration.contains(line + "\n"), "no '\(line)' in \(configuration)")
    }
    for plot in ["density", "paths", "training"] { #expect(folder.exists("run/plots/\(plot).png"), "\(plot)") }

    // The run, and its model as a file on its own, give the same figures.
    let evaluated = try Program.run("evaluate", "run", "--json", in: folder)
    #expect(evaluated.code == 0, "\(evaluated.errors)")
    #expect(try evaluated.json["nll_nats"] == trained.json["nll_nats"])
    try folder.write("0.5,1\n-1,0.25\n", to: "points.csv")
    let tolerances = ["--rtol", "1e-3", "--atol", "1e-3"]
    let densities = try ["run", "run/best.safetensors"].map {
      try Program.start(["logprob", $0, "--data", "points.csv"] + tolerances, in: folder).outcome()
    }
    #expect(densities.allSatisfy { $0.code == 0 }, "\(densities.map(\.errors))")
    #expect(densities[0].output == densities[1].output && densities[0].output.split(separator: "\n").count == 2)

    // The probability flow, forth and back: several tens of steps at the finest tolerance.
    let checked = try Program.run("evaluate", "run", "--check-inverse", "--check-jacobian", "--json", in: folder).json
    let finest = try #require(checked["inverse"]?["table"]?.elements?.last)
    #expect(finest["tolerance"]?.doubleValue == 1e-9 && finest["data"]?["x_max"]?.doubleValue ?? .nan < 1000 * 1e-9)
    let difference = checked["jacobian"]?["table"]?.elements?.last?["difference_max"]?.doubleValue
    #expect(difference ?? .nan < 1000 * 1e-9, "\(checked)")

    var drawn: Set<String> = []
    for sampler in [[], ["--sampler", "euler-maruyama"], ["--sampler", "predictor-corrector"]] {
      let steps = sampler.isEmpty ? [] : ["--sampler-steps", "30"]
      func sample(_ count: Int) throws -> [Substring] {
        let outcome = try Program.start(["sample", "run", "-n", "\(count)"] + sampler + steps, in: folder).outcome()
        #expect(outcome.code == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n")
      }
      let (few, many) = (try sample(3), try sample(20))
      #expect(few.count == 3 && few == Array(many.prefix(3)), "\(sampler)")
      drawn.insert(few.joined())
    }
    #expect(drawn.count == 3, "two samplers draw the same")
    let named = try Program.run("sample", "run", "-n", "3", "--sampler", "ode", in: folder)
    #expect(drawn.contains(named.output.split(separator: "\n").joined()))
  }

  /// A run that is stopped and resumed has the same result as one that is not stopped.
  @Test func runsResume() throws {
    let folder = try TemporaryFolder()
    let flags = ["--schedule", "constant"]
    for (run, steps) in [("whole", "20"), ("half", "10")] {
      let outcome = try Self.train(run, flags + ["--steps", steps], in: folder)
      #expect(outcome.code == 0, "\(outcome.errors)")
    }
    let resumed = try Program.run("train", "--resume", "half", "--steps", "20", "--quiet", in: folder)
    #expect(resumed.code == 0, "\(resumed.errors)")
    let weights = try ["whole", "half"].map {
      try SafetensorsFile(path: folder.file("\($0)/checkpoint.safetensors")).floats(named: "net.0.weight")
    }
    #expect(weights[0] == weights[1])
  }

  private static let new = ["train", "--out", "new", "--data", "moons"]
  static let badCases = [
    BadInputTests.Case(
      arguments: new + ["--objective", "score-matchin"], code: 64, words: ["'score-matchin'", "'score-matching'"]),
    .init(
      arguments: new + ["--objective", "score-matching", "--process", "vq"], code: 64,
      words: ["process 'vq'", "did you mean 'vp'"]),
    .init(
      arguments: new + ["--objective", "score-matching", "--weighting", "nose"], code: 64,
      words: ["weighting 'nose'", "did you mean 'noise'"]),
    .init(arguments: new + ["--process", "ve"], code: 64, words: ["process", "--objective score-matching"]),
    .init(
      arguments: new + ["--objective", "flow-matching", "--weighting", "likelihood"], code: 64,
      words: ["weighting", "--objective score-matching"]),
    .init(
      arguments: new + ["--model", "flow", "--objective", "score-matching"], code: 64,
      words: ["score-matching", "--model diffusion"]),
    .init(
      arguments: new + ["--model", "diffusion", "--objective", "likelihood"], code: 64,
      words: ["objective is likelihood", "score-matching"]),
    .init(
      arguments: new + ["--model", "diffusion", "--kinetic", "0.1"], code: 64,
      words: ["kinetic is 0.1", "model diffusion does not use"]),
    .init(arguments: new + ["--model", "diffusion", "--base", "gaussian"], code: 64, words: ["base is", "diffusion"]),
    .init(
      arguments: new + ["--model", "diffusion", "--end-time", "2"], code: 64, words: ["end-time is", "diffusion"]),
    .init(
      arguments: ["sample", "run", "-n", "1", "--sampler", "euler"], code: 64, words: ["'euler'", "euler-maruyama"]),
    .init(
      arguments: ["sample", "run", "-n", "1", "--sampler", "ode", "--sampler-steps", "9"], code: 64,
      words: ["sampler-steps", "--sampler"]),
    .init(
      arguments: ["sample", "run", "-n", "1", "--sampler", "euler-maruyama", "--sampler-steps", "0"], code: 64,
      words: ["sampler-steps is 0"]),
    .init(
      arguments: ["sample", "run", "-n", "1", "--sampler", "euler-maruyama"], code: 64,
      words: ["diffusion models", "run", "leave --sampler out"]),
  ]

  /// One sentence that names the thing and the fix; `run` holds a flow.
  @Test func badInput() throws {
    let folder = try TemporaryFolder()
    let (trained, _) = try TrainedFolder.shared.get()
    try FileManager.default.copyItem(atPath: trained.file("run"), toPath: folder.file("run"))
    for bad in Self.badCases {
      let outcome = try Program.start(bad.arguments, in: folder).outcome()
      #expect(outcome.code == bad.code, "\(bad.testDescription): \(outcome.errors)")
      for word in bad.words {
        #expect(outcome.errors.contains(word), "\(bad.testDescription): no '\(word)' in \(outcome.errors)")
      }
      #expect(!folder.exists("new"), "\(bad.testDescription)")
    }
  }
}
