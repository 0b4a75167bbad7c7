import FlowIO
import Foundation
import Testing

/// Runs that are interrupted or killed lose nothing.
@Suite(.serialized, .timeLimit(.minutes(3))) struct InterruptionTests {
  /// A run slow enough (about 20 ms per step) to be stopped in the middle.
  private static let slowRun = [
    "--data", "pinwheel", "--count", "2000", "--hidden", "32,32", "--steps", "60", "--batch-size", "1024",
    "--checkpoint-interval", "30", "--validation-interval", "20", "--rtol", "1e-4", "--evaluation-rtol", "1e-3",
    "--evaluation-atol", "1e-3",
  ]

  private func steps(in folder: TemporaryFolder, of run: String) -> Int {
    (try? MetricsLog.read(folder.file("\(run)/metrics.jsonl")))?.compactMap { $0["step"]?.integerValue }.max() ?? 0
  }

  private func checkpoint(_ folder: TemporaryFolder, _ run: String) throws -> [String: [Float]] {
    let file = try SafetensorsFile(path: folder.file("\(run)/checkpoint.safetensors"))
    return try Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, try file.floats(named: $0.name)) })
  }

  @Test func killedAndResumedIsAsIfNothingHadHappened() throws {
    let folder = try TemporaryFolder()
    let whole = try Program.start(["train", "--out", "whole", "--quiet"] + Self.slowRun, in: folder).outcome()
    #expect(whole.code == 0, "\(whole.errors)")

    let killed = try Program.start(["train", "--out", "killed", "--quiet"] + Self.slowRun, in: folder)
    #expect(killed.wait { folder.exists("killed/checkpoint.safetensors") })
    kill(killed.process.processIdentifier, SIGKILL)
    #expect(try killed.outcome().code == 128 + SIGKILL)
    let resumed = try Program.run("train", "--resume", "killed", "--quiet", "--json", in: folder)
    #expect(resumed.code == 0, "\(resumed.errors)")
    #expect(try resumed.json["steps"] == 60)

    let (first, second) = (try checkpoint(folder, "whole"), try checkpoint(folder, "killed"))
    #expect(first.keys.sorted() == second.keys.sorted() && !first.isEmpty)
    for (name, values) in first {
      // Bits, because NaN would compare as different and -0 as equal.
      #expect(second[name]?.map(\.bitPattern) == values.map(\.bitPattern), "\(name)")
    }
    // The metrics are those of the uninterrupted run, too, except for times.
    func record(_ run: String) throws -> [JSONValue?] {
      try MetricsLog.read(folder.file("\(run)/metrics.jsonl")).flatMap { [$0["step"], $0["nll_nats"]] }
    }
    #expect(try record("whole") == record("killed"))
  }

  @Test func killedBeforeItsFirstCheckpointBeginsAnew() throws {
    let folder = try TemporaryFolder()
    let flags = Self.slowRun + ["--checkpoint-interval", "1000", "--quiet"]
    let killed = try Program.start(["train", "--out", "run"] + flags, in: folder)
    #expect(killed.wait { steps(in: folder, of: "run") >= 10 })
    kill(killed.process.processIdentifier, SIGKILL)
    _ = try killed.outcome()
    try #require(!folder.exists("run/checkpoint.safetensors"))
    let evaluated = try Program.run("evaluate", "run", in: folder)
    #expect(evaluated.code == 65 && evaluated.errors.contains("--resume run"))
    let resumed = try Program.run("train", "--resume", "run", "--steps", "5", "--quiet", "--json", in: folder)
    #expect(resumed.code == 0, "\(resumed.errors)")
    #expect(try resumed.json["steps"] == 5)
  }

  /// A trained model is never overwritten by a run that starts again, nor by a second process.
  @Test func whatWasTrainedIsKept() throws {
    let folder = try TemporaryFolder()
    let flags = Self.slowRun + ["--steps", "20", "--quiet"]
    #expect(try Program.start(["train", "--out", "run"] + flags, in: folder).outcome().code == 0)
    let fewer = try Program.run("train", "--resume", "run", "--steps", "10", in: folder)
    #expect(fewer.code == 64 && fewer.errors.contains("at step 20 already"), "\(fewer.errors)")
    let best = try Data(contentsOf: URL(fileURLWithPath: folder.file("run/best.safetensors")))
    let settings = try Data(contentsOf: URL(fileURLWithPath: folder.file("run/config.yaml")))
    try FileManager.default.removeItem(atPath: folder.file("run/checkpoint.safetensors"))
    let anew = try Program.run("train", "--resume", "run", "--steps", "5", in: folder)
    #expect(anew.code == 65 && anew.errors.contains("no checkpoint.safetensors"), "\(anew.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("run/best.safetensors"))) == best)
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("run/config.yaml"))) == settings)

    let running = try Program.start(
      ["train", "--out", "busy"] + Self.slowRun + ["--steps", "100000", "--checkpoint-interval", "5", "--quiet"],
      in: folder)
    #expect(running.wait { folder.exists("busy/checkpoint.safetensors") })
    let second = try Program.run("train", "--resume", "busy", in: folder)
    #expect(second.code == 1 && second.errors.contains("another process is training in busy"), "\(second.errors)")
    kill(running.process.processIdentifier, SIGTERM)
    _ = try running.outcome()
    let empty = try Program.run("train", "--data", "moons", "--out", "", in: folder)
    #expect(empty.code == 64 && empty.errors.contains("--out"), "\(empty.errors)")
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalStopsAfterTheStepWithACheckpoint(signal: Int32) throws {
    let folder = try TemporaryFolder()
    let flags = Self.slowRun + ["--steps", "100000", "--checkpoint-interval", "100000"]
    let running = try Program.start(["train", "--out", "run", "--json"] + flags, in: folder)
    #expect(running.wait { steps(in: folder, of: "run") >= 10 })
    kill(running.process.processIdentifier, signal)
    let outcome = try running.outcome()
    #expect(running.process.terminationReason == .exit && outcome.code == 128 + signal, "\(outcome.errors)")
    #expect(outcome.output.isEmpty && outcome.errors.contains("--resume run"))
    let state = try SafetensorsFile(path: folder.file("run/checkpoint.safetensors"))
    #expect(Int(state.metadata["step"] ?? "") ?? 0 >= 10)
    // What has been saved can be evaluated and continued.
    let evaluated = try Program.run("evaluate", "run", "--json", in: folder)
    #expect(evaluated.code == 0, "\(evaluated.errors)")
    let further = (Int(state.metadata["step"] ?? "") ?? 0) + 2
    let resumed = try Program.run("train", "--resume", "run", "--steps", "\(further)", "--json", in: folder)
    #expect(resumed.code == 0, "\(resumed.errors)")
    #expect(try resumed.json["steps"]?.integerValue == further)
  }

  @Test func aDivergingRunEndsWithTheSampleNamedAndItsStateSaved() throws {
    let folder = try TemporaryFolder()
    let outcome = try Program.run(
      "train", "--out", "run", "--data", "moons", "--count", "200", "--hidden", "8", "--steps", "200", "--batch-size",
      "32", "--learning-rate", "1000", "--clip-norm", "0", "--warmup-steps", "0", "--solver-max-steps", "50", "--quiet",
      in: folder)
    #expect(outcome.code == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("sample") && outcome.errors.contains("t = "), "\(outcome.errors)")
    #expect(outcome.errors.contains("run/checkpoint.safetensors"))
    #expect(folder.exists("run/checkpoint.safetensors"))
  }

  @Test func plainLinesWhereNobodyWatches() throws {
    let (_, training) = try TrainedFolder.shared.get()
    #expect(!training.errors.contains("\r") && !training.errors.contains("\u{1B}"))
    #expect(training.errors.contains("training 2 %, 0 s: step 1, NLL"))
  }
}
