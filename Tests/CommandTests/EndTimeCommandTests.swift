import FlowIO
import Testing

/// Trained and random end times, and the plot that compares runs, on the command line.
@Suite(.serialized) struct EndTimeCommandTests {
  private static let small = [
    "train", "--data", "moons", "--count", "200", "--batch-size", "32", "--hidden", "8", "--schedule", "constant",
    "--threads", "2", "--json", "--quiet",
  ]

  private func run(_ arguments: [String], in folder: TemporaryFolder) throws -> Program.Outcome {
    try Program.start(arguments, in: folder).outcome()
  }

  /// The end time changes in training, is reported, and is the same after a stop; such a model can do what a flow can.
  @Test func anEndTimeIsTrained() throws {
    let folder = try TemporaryFolder()
    let timed = Self.small + ["--model", "timed-flow"]
    let whole = try run(timed + ["--out", "whole", "--steps", "20"], in: folder).json
    #expect(try run(timed + ["--out", "half", "--steps", "10"], in: folder).code == 0)
    let resumed = try run(["train", "--resume", "half", "--steps", "20", "--json", "--quiet"], in: folder).json
    let time = try #require(whole["end_time"]?.doubleValue)
    #expect(time != 1 && time > 0 && resumed["end_time"] == whole["end_time"])
    #expect(resumed["nll_nats"] == whole["nll_nats"])
    #expect(try run(["evaluate", "whole"], in: folder).output.contains("trained end time T"))
    #expect(try run(["check-gradient", "whole", "--samples", "1"], in: folder).code == 0)
    let checked = try run(["evaluate", "whole", "--check-inverse"], in: folder)
    #expect(checked.code == 0 && checked.output.contains("1.0e-09"), "\(checked.output)")
    #expect(try run(["sample", "whole/best.safetensors", "-n", "2"], in: folder).code == 0)
    let refused = try run(timed + ["--out", "x", "--steps", "1", "--objective", "flow-matching"], in: folder)
    #expect(refused.code == 64 && refused.errors.contains("--model flow"), "\(refused.errors)")
  }

  /// For T = 0.11 and 0.42, 40 T / 40 rounds to more than T, a time that no plot of paths may ask for.
  @Test(arguments: [["--end-time", "0.11"], ["--blocks", "2", "--end-time", "0.42"]])
  func pathsAreDrawnUntilAnyEnd(flags: [String]) throws {
    let folder = try TemporaryFolder()
    let trained = try run(Self.small + ["--out", "run", "--steps", "2"] + flags, in: folder)
    #expect(trained.code == 0 && folder.exists("run/plots/paths.png"), "\(trained.code): \(trained.errors)")
    #expect(try run(["plot", "run", "--kind", "paths", "--out", "p.svg"], in: folder).code == 0)
  }

  @Test func steerChangesTrainingAndHasToStayBelowTheEnd() throws {
    let folder = try TemporaryFolder()
    let plain = try run(Self.small + ["--out", "plain", "--steps", "10"], in: folder).json
    let steered = try run(Self.small + ["--out", "steered", "--steps", "10", "--steer", "0.5"], in: folder).json
    #expect(plain["nll_nats"] != steered["nll_nats"])
    let refused = try run(Self.small + ["--out", "x", "--steps", "1", "--steer", "1"], in: folder)
    #expect(refused.code == 64 && refused.errors.contains("below end-time"), "\(refused.errors)")

    let plot = ["plot", "plain", "--kind", "evaluations", "--beside", "steered", "--out", "both.png"]
    #expect(try run(plot, in: folder).code == 0 && folder.exists("both.png"))
    let other = try run(["plot", "plain", "--kind", "training", "--beside", "steered", "--out", "x.png"], in: folder)
    #expect(other.code == 64 && other.errors.contains("--kind evaluations"), "\(other.errors)")
    #expect(try run(["plot", "plain", "--kind", "evaluations", "--beside", "absent"], in: folder).code == 65)
  }
}
