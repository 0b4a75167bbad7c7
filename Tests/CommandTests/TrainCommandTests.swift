import FlowIO
import Foundation
import Testing

/// `cnf train`: the run folder, architectures, objectives, methods, regularisers, configuration files.
@Suite(.serialized, .timeLimit(.minutes(3))) struct TrainCommandTests {
  @Test func trainWritesARunFolder() throws {
    let (folder, training) = try TrainedFolder.shared.get()
    let json = try training.json
    for key in TrainedFolder.evaluationKeys + ["steps", "seconds", "best_step"] {
      #expect(json[key] != nil, "no \(key)")
    }
    #expect(json["steps"] == 40 && json["count"] == 40 && json["failed"] == 0)
    #expect(["steps", "seconds", "patience"].contains(json["ending"]?.text))
    for file in ["config.yaml", "checkpoint.safetensors", "best.safetensors", "metrics.jsonl"] {
      #expect(folder.exists("run/\(file)"), "no \(file)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("run"))
    #expect(names.contains { $0.hasPrefix("events.out.tfevents") })
    for plot in ["density", "paths", "training"] { #expect(folder.exists("run/plots/\(plot).png")) }
    let configuration = try String(contentsOfFile: folder.file("run/config.yaml"), encoding: .utf8)
    #expect(configuration.contains("rtol: 0.001\n") && configuration.contains("hidden: [8, 8]\n"))
    #expect(configuration.contains("controller: integral\n") && configuration.contains("norm: rms\n"))
  }

  /// Settings of an architecture go into config.yaml and back: a run by that file is the same, and can be evaluated.
  @Test(arguments: [
    [
      "layer: concatsquash", "residual: true", "layer-norm: true", "dropout: 0.2", "time-features: 2", "hyper-units: 0",
    ],
    ["layer: hyper", "hyper-units: 3", "time-features: 0"],
  ]) func architecturesAreTrained(lines: [String]) throws {
    let options = [
      "--data", "moons", "--count", "200", "--hidden", "8,8", "--steps", "4", "--validation-interval", "4", "--threads",
      "2",
      "--json", "--quiet",
    ]
    let architecture = lines.flatMap { line -> [String] in
      let words = line.components(separatedBy: ": ")
      return words[1] == "true" ? ["--" + words[0]] : ["--" + words[0], words[1]]
    }
    let name = lines[0].replacing(": ", with: "-")
    let (folder, _) = try TrainedFolder.shared.get()
    let first = try Program.start(["train", "--out", name] + options + architecture, in: folder).outcome()
    Program.expectSuccess(first)
    let configuration = try String(contentsOfFile: folder.file("\(name)/config.yaml"), encoding: .utf8)
    for line in lines { #expect(configuration.contains(line + "\n"), "no '\(line)'") }
    let again = try TrainedFolder.run(
      "train", "--config", "\(name)/config.yaml", "--out", "\(name)-again", "--json", "--quiet")
    Program.expectSuccess(again)
    #expect(try again.json["nll_nats"] == first.json["nll_nats"])
    let evaluated = try TrainedFolder.run("evaluate", name, "--json")
    Program.expectSuccess(evaluated)
    #expect(try evaluated.json["failed"] == 0)
  }

  /// Flow matching with every path and coupling; a run that is stopped and resumed is the same as one that is not.
  @Test(
    arguments: ["linear", "trigonometric", "variance-preserving", "interpolant"], ["independent", "optimal-transport"])
  func trainByFlowMatching(path: String, coupling: String) throws {
    let folder = try TemporaryFolder()
    // Only flow matching takes a uniform base.
    let base = coupling == "independent" ? "uniform" : "standard-normal"
    let objective = [
      "--objective", "flow-matching", "--path", path, "--coupling", coupling, "--schedule", "constant", "--base", base,
    ]
    func train(_ run: String, _ arguments: [String]) throws {
      let outcome = try Program.start(
        ["train", "--quiet", "--json"] + arguments, in: folder
      ).outcome()
      Program.expectSuccess(outcome)
      #expect(try outcome.json["steps"] == 20 && outcome.json["failed"] == 0, "\(run)")
    }
    try train("whole", ["--out", "whole"] + objective + TrainedFolder.smallRunWithoutSolves + ["--steps", "20"])
    let half = try Program.start(
      ["train", "--quiet", "--out", "half"] + objective + TrainedFolder.smallRunWithoutSolves + ["--steps", "10"],
      in: folder
    ).outcome()
    Program.expectSuccess(half)
    try train("half", ["--resume", "half", "--steps", "20"])
    let weights = try ["whole", "half"].map {
      try SafetensorsFile(path: folder.file("\($0)/checkpoint.safetensors")).floats(named: "net.0.weight")
    }
    #expect(weights[0] == weights[1])
  }

  /// Methods that preserve a structure train, each with its adjoint, and the method for stiff fields with the
  /// continuous one.
  @Test(arguments: [
    ["leapfrog", "--fixed-steps", "4"], ["reversible_heun", "--adjoint", "reversible"],
    ["reversible_heun", "--fixed-steps", "8", "--adjoint", "reversible"], ["rodas4", "--adjoint", "continuous"],
  ])
  func trainByMethodsThatKeepAStructure(solver: [String]) throws {
    let folder = try TemporaryFolder()
    let outcome = try Program.start(
      ["train", "--out", "r", "--solver"] + solver + TrainedFolder.smallRun + ["--steps", "20", "--quiet", "--json"],
      in: folder
    ).outcome()
    Program.expectSuccess(outcome)
    #expect(try outcome.json["steps"] == 20 && outcome.json["failed"] == 0)
    let configuration = try String(contentsOfFile: folder.file("r/config.yaml"), encoding: .utf8)
    #expect(configuration.contains("solver: \(solver[0])\n"))
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    let checked = try Program.run(
      "check-gradient", "r", "--solver", solver[0], "--fixed-steps", "4", "--samples", "1", in: folder)
    Program.expectSuccess(checked)
  }

  /// Penalties are in the run's settings and metrics; a resumed run keeps them, and cannot change them.
  @Test func trainRegularises() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    let flags = TrainedFolder.smallRun + ["--kinetic", "0.01", "--frobenius", "0.02", "--quiet"]
    for (name, steps) in [("whole", "40"), ("half", "20")] {
      Program.expectSuccess(
        try Program.start(["train", "--out", name] + flags + ["--steps", steps, "--schedule", "constant"], in: folder)
          .outcome())
    }
    let refused = try TrainedFolder.run("train", "--resume", "half", "--kinetic", "0.5", "--steps", "40")
    #expect(refused.code == 64 && refused.errors.contains("kinetic cannot change"))
    Program.expectSuccess(try TrainedFolder.run("train", "--resume", "half", "--steps", "40", "--quiet"))
    let configuration = try String(contentsOfFile: folder.file("whole/config.yaml"), encoding: .utf8)
    #expect(configuration.contains("kinetic: 0.01\n") && configuration.contains("frobenius: 0.02\n"))
    func steps(_ name: String) throws -> [String] {
      try MetricsLog.read(folder.file("\(name)/metrics.jsonl")).filter { $0["kind"]?.text == "step" }.map { record in
        #expect(record["kinetic_energy"]?.doubleValue ?? 0 > 0 && record["frobenius_norm"]?.doubleValue ?? 0 > 0)
        return JSONValue.object((record.members ?? []).filter { $0.key != "seconds" }).description
      }
    }
    #expect(try steps("whole") == steps("half"))
  }

  /// The choice of stored states changes no bit of a run, and is part of its settings.
  @Test func trainTakesAdjointSchedules() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    func weights(_ name: String, _ flags: String...) throws -> Data {
      let common = TrainedFolder.smallRun + ["--steps", "10", "--schedule", "constant", "--quiet"]
      Program.expectSuccess(try Program.start(["train", "--out", name] + common + flags, in: folder).outcome())
      return try Data(contentsOf: URL(fileURLWithPath: folder.file("\(name)/best.safetensors")))
    }
    let every = try weights("every-step")
    #expect(try weights("every-3", "--adjoint", "every-3") == every)
    #expect(try weights("automatic", "--adjoint", "automatic") == every)
    #expect(try weights("binomial", "--adjoint", "binomial", "--adjoint-bytes", "50000") == every)
    let configuration = try String(contentsOfFile: folder.file("binomial/config.yaml"), encoding: .utf8)
    #expect(configuration.contains("adjoint: binomial\nadjoint-bytes: 50000\n"))
  }

  @Test func configFilesComeBelowFlags() throws {
    let folder = try TemporaryFolder()
    try folder.write("data: moons\ncount: 100\nhidden: [4]\nsteps: 2\nbatch-size: 16\nseed: 5\n", to: "c.yaml")
    let outcome = try Program.run(
      "train", "--config", "c.yaml", "--steps", "3", "--out", "r", "--quiet", "--json", in: folder)
    Program.expectSuccess(outcome)
    #expect(outcome.errors.isEmpty)
    #expect(try outcome.json["steps"] == 3)
    let resolved = try String(contentsOfFile: folder.file("r/config.yaml"), encoding: .utf8)
    for line in ["data: moons\n", "steps: 3\n", "seconds: 0.0\n", "seed: 5\n", "solver: dopri5\n"] {
      #expect(resolved.contains(line), "no \(line)")
    }
    // A resolved file holds every setting: a run by it alone has the same weights.
    Program.expectSuccess(try Program.run("train", "--config", "r/config.yaml", "--out", "again", in: folder))
    #expect(try folder.contents(of: "r")["best.safetensors"] == folder.contents(of: "again")["best.safetensors"])
  }
}
