import FlowIO
import Foundation
import Testing

/// Each subcommand does what its help says, and its JSON has the documented members.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SubcommandTests {
  private static let evaluationKeys = [
    "count", "nll_nats", "nll_stderr", "bits_per_dim", "evaluations_mean", "evaluations_max", "failed",
  ]

  private func run(_ arguments: String...) throws -> Program.Outcome {
    let (folder, _) = try TrainedFolder.shared.get()
    return try Program.start(arguments, in: folder).outcome()
  }

  private func expectSuccess(_ outcome: Program.Outcome) {
    #expect(outcome.code == 0, "\(outcome.errors)")
  }

  @Test func info() throws {
    let outcome = try run("info", "--json")
    expectSuccess(outcome)
    let json = try outcome.json
    #expect(json.members?.map(\.key) == ["version", "isa", "threads", "blas"])
    #expect(json["threads"]?.integerValue == 2)
    #expect(try run("info").output.contains("isa "))
    #expect(try run("--version").output == "\(json["version"]?.text ?? "")\n")
  }

  @Test func datasets() throws {
    let outcome = try run("datasets", "--json")
    let names = try outcome.json.elements?.compactMap { $0["name"]?.text }
    let expected = [
      "pinwheel", "eight-gaussians", "moons", "circles", "checkerboard", "two-spirals", "swiss-roll", "rings",
      "concentric", "digits",
    ]
    #expect(names == expected)
    #expect(try outcome.json.elements?.last?["dimension"] == 64)
    let lines = try run("datasets").output.split(separator: "\n")
    #expect(zip(lines, expected).allSatisfy { $0.hasPrefix($1) } && lines.count == expected.count)
  }

  @Test func trainWritesARunFolder() throws {
    let (folder, training) = try TrainedFolder.shared.get()
    let json = try training.json
    for key in Self.evaluationKeys + ["steps", "seconds", "best_step"] { #expect(json[key] != nil, "no \(key)") }
    #expect(json["steps"] == 40 && json["count"] == 40 && json["failed"] == 0)
    #expect(["steps", "seconds", "patience"].contains(json["ending"]?.text))
    for file in ["config.yaml", "checkpoint.safetensors", "best.safetensors", "metrics.jsonl"] {
      #expect(folder.exists("run/\(file)"), "no \(file)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("run"))
    #expect(names.contains { $0.hasPrefix("events.out.tfevents") })
    for plot in ["density", "particles", "training"] { #expect(folder.exists("run/plots/\(plot).png")) }
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
    expectSuccess(first)
    let configuration = try String(contentsOfFile: folder.file("\(name)/config.yaml"), encoding: .utf8)
    for line in lines { #expect(configuration.contains(line + "\n"), "no '\(line)'") }
    let again = try run("train", "--config", "\(name)/config.yaml", "--out", "\(name)-again", "--json", "--quiet")
    expectSuccess(again)
    #expect(try again.json["nll_nats"] == first.json["nll_nats"])
    let evaluated = try run("evaluate", name, "--json")
    expectSuccess(evaluated)
    #expect(try evaluated.json["failed"] == 0)
  }

  @Test func checkGradient() throws {
    let outcome = try run("check-gradient", "run", "--samples", "2", "--trace", "hutchinson", "--json")
    expectSuccess(outcome)
    let json = try outcome.json
    #expect(json["samples"] == 2 && json["trace"] == "hutchinson" && json["tolerance"]?.doubleValue == 1e-7)
    #expect(
      json["rows"]?.elements?.compactMap { $0["name"]?.text }.suffix(4) == [
        "a random direction", "states", "start time", "end time",
      ])
    #expect(json["right"] == true)
    #expect(json["rows"]?.elements?.allSatisfy { $0["continuous"]?.doubleValue ?? 0 != 0 } == true)
    let words = try run("check-gradient", "run", "--samples", "2", "--backend", "swift")
    expectSuccess(words)
    #expect(
      words.output.contains("net.4.bias") && words.output.contains("right: largest error of the discrete gradient"))
    #expect(try run("check-gradient", "run", "--samples", "0").code == 64)
  }

  /// A method has two names.
  @Test func methodsHaveAliases() throws {
    let reports = try ["heun", "heun2"].map { name in
      let outcome = try run("evaluate", "run", "--json", "--solver", name, "--fixed-steps", "4")
      expectSuccess(outcome)
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
      expectSuccess(outcome)
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
      expectSuccess(outcome)
      #expect(try outcome.json["steps"] == 20 && outcome.json["failed"] == 0, "\(run)")
    }
    try train("whole", ["--out", "whole"] + objective + TrainedFolder.smallRunWithoutSolves + ["--steps", "20"])
    let half = try Program.start(
      ["train", "--quiet", "--out", "half"] + objective + TrainedFolder.smallRunWithoutSolves + ["--steps", "10"],
      in: folder
    ).outcome()
    expectSuccess(half)
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
    expectSuccess(outcome)
    #expect(try outcome.json["steps"] == 20 && outcome.json["failed"] == 0)
    let configuration = try String(contentsOfFile: folder.file("r/config.yaml"), encoding: .utf8)
    #expect(configuration.contains("solver: \(solver[0])\n"))
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    let checked = try Program.run(
      "check-gradient", "r", "--solver", solver[0], "--fixed-steps", "4", "--samples", "1", in: folder)
    expectSuccess(checked)
  }

  /// Penalties are in the run's settings and metrics; a resumed run keeps them, and cannot change them.
  @Test func trainRegularises() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    let flags = TrainedFolder.smallRun + ["--kinetic", "0.01", "--frobenius", "0.02", "--quiet"]
    for (name, steps) in [("whole", "40"), ("half", "20")] {
      expectSuccess(
        try Program.start(["train", "--out", name] + flags + ["--steps", steps, "--schedule", "constant"], in: folder)
          .outcome())
    }
    let refused = try run("train", "--resume", "half", "--kinetic", "0.5", "--steps", "40")
    #expect(refused.code == 64 && refused.errors.contains("kinetic cannot change"))
    expectSuccess(try run("train", "--resume", "half", "--steps", "40", "--quiet"))
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
      expectSuccess(try Program.start(["train", "--out", name] + common + flags, in: folder).outcome())
      return try Data(contentsOf: URL(fileURLWithPath: folder.file("\(name)/best.safetensors")))
    }
    let every = try weights("every-step")
    #expect(try weights("every-3", "--adjoint", "every-3") == every)
    #expect(try weights("automatic", "--adjoint", "automatic") == every)
    #expect(try weights("binomial", "--adjoint", "binomial", "--adjoint-bytes", "50000") == every)
    let configuration = try String(contentsOfFile: folder.file("binomial/config.yaml"), encoding: .utf8)
    #expect(configuration.contains("adjoint: binomial\nadjoint-bytes: 50000\n"))
  }

  @Test func evaluateAgreesWithTraining() throws {
    let (_, training) = try TrainedFolder.shared.get()
    let outcome = try run("evaluate", "run", "--json")
    expectSuccess(outcome)
    for key in Self.evaluationKeys { #expect(try outcome.json[key] == training.json[key], "\(key)") }
    let other = try run("evaluate", "run", "--data", "pinwheel", "--count", "30", "--data-seed", "9", "--json").json
    #expect(other["count"] == 30 && other["gaussian_nll_nats"] == nil)
    #expect(try run("evaluate", "run").output.contains("full-covariance Gaussian"))
  }

  @Test func sampleWritesDoubles() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    let outcome = try run("sample", "run", "-n", "50", "--out", "s.npy", "--json")
    expectSuccess(outcome)
    #expect(try outcome.json["count"] == 50)
    let samples = try NumPyFile.read(folder.file("s.npy"))
    #expect(samples.shape == [50, 2] && samples.elementType == .float64)
    // Sample i is the same whatever the count; CSV and standard output hold the same numbers.
    expectSuccess(try run("sample", "run", "-n", "7", "--out", "s.csv"))
    #expect(try MatrixFile.read(folder.file("s.csv")).values == Array(samples.doubles().prefix(14)))
    let printed = try run("sample", "run", "-n", "7").output
    #expect(try printed == String(contentsOfFile: folder.file("s.csv"), encoding: .utf8))
    #expect(try run("sample", "run", "-n", "7", "--seed", "1").output != printed)
  }

  @Test func logprobWritesDoublesAndNaN() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    try folder.write("0.5,1\n1,-1\n2,0.25\n", to: "points.csv")
    let outcome = try run("logprob", "run", "--data", "points.csv", "--out", "l.npy", "--json")
    expectSuccess(outcome)
    #expect(try outcome.json == ["count": 3, "failed": 0, "out": "l.npy"])
    let values = try NumPyFile.read(folder.file("l.npy"))
    #expect(values.shape == [3] && values.elementType == .float64 && values.doubles().allSatisfy { $0.isFinite })
    // A sample's log-density depends neither on other samples nor on the number of threads.
    try folder.write("2,0.25\n", to: "point.csv")
    let alone = try run("logprob", "run", "--data", "point.csv", "--threads", "1").output
    #expect(Double(alone.dropLast()) == values.doubles()[2])
    // One step is not enough for any sample.
    let failing = try run("logprob", "run", "--data", "points.csv", "--out", "f.npy", "--solver-max-steps", "1")
    #expect(failing.code == 0 && failing.errors.contains("3 of 3 samples"))
    #expect(try NumPyFile.read(folder.file("f.npy")).doubles().allSatisfy { $0.isNaN })
  }

  @Test func plotDraws() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    for (kind, file) in [("particles", "p.svg"), ("training", "p.pdf"), ("density", "p.png")] {
      expectSuccess(try run("plot", "run", "--kind", kind, "--out", file))
      #expect(folder.exists(file))
    }
    #expect(try run("plot", "run", "--kind", "samples", "--out", "q.png").code == 64)
    let all = try run("plot", "run", "--json")
    #expect(try all.json["plots"]?.elements?.count == 4)
  }

  @Test func digitsGetASampleGrid() throws {
    let folder = try TemporaryFolder()
    let outcome = try Program.run(
      "train", "--data", "digits", "--out", "d", "--hidden", "16", "--steps", "3", "--fixed-steps", "2",
      "--evaluation-solver", "rk4", "--evaluation-fixed-steps", "2", "--json", in: folder)
    expectSuccess(outcome)
    #expect(folder.exists("d/plots/samples.png") && folder.exists("d/plots/training.png"))
    #expect(try outcome.json["count"] == 360)

    // Raw levels, where the flow needs (k + u) / 17, have density 0, which is reported; their mean is refused.
    let row = (0..<64).map { "\($0 % 17)" }.joined(separator: ",")
    let inside = Array(repeating: "0.5", count: 64).joined(separator: ",")
    let huge = (["1e30"] + Array(repeating: "0.5", count: 63)).joined(separator: ",")
    try folder.write("\(inside)\n\(row)\n\(huge)\n", to: "levels.csv")
    try folder.write("\(inside)\n\(inside)\n", to: "inside.csv")
    let densities = try Program.run("logprob", "d", "--data", "levels.csv", in: folder)
    expectSuccess(densities)
    let values = densities.output.split(separator: "\n").map { Double($0) ?? .nan }
    #expect(values.count == 3 && values[0].isFinite && values[1] == -.infinity && values[2] == -.infinity)
    #expect(
      densities.errors.contains(
        "2 of 3 samples have density 0 (-inf), because this flow has a density only for values from 0 to 1"))
    #expect(densities.errors.contains("(k + u) / 17"))
    let refused = try Program.run("evaluate", "d", "--data", "levels.csv", in: folder)
    #expect(refused.code == 65 && refused.output.isEmpty)
    #expect(refused.errors.contains("levels.csv holds 2.0 in row 2, column 3"), "\(refused.errors)")
    #expect(refused.errors.contains("(k + u) / 17"))
    expectSuccess(try Program.run("evaluate", "d", "--data", "inside.csv", in: folder))
    let quiet = try Program.run("logprob", "d", "--data", "inside.csv", in: folder)
    #expect(quiet.code == 0 && quiet.errors.isEmpty)
  }

  @Test func theBackendsAgree() throws {
    let folder = try TemporaryFolder()
    try folder.write("0.5,1\n1,-1\n", to: "points.csv")
    let (trained, _) = try TrainedFolder.shared.get()
    func values(_ backend: String, _ solver: String) throws -> [Double] {
      let outcome = try Program.run(
        "logprob", trained.file("run"), "--data", "points.csv", "--backend", backend, "--solver", solver, in: folder)
      expectSuccess(outcome)
      return outcome.output.split(separator: "\n").compactMap { Double($0) }
    }
    for solver in ["dopri5", "rodas4"] {
      for (first, second) in zip(try values("c", solver), try values("swift", solver)) {
        // Both solve to 1e-3 in float, with the same steps except for rounding.
        #expect(abs(first - second) < 1e-3)
      }
    }
  }

  @Test func configFilesComeBelowFlags() throws {
    let folder = try TemporaryFolder()
    try folder.write("data: moons\ncount: 100\nhidden: [4]\nsteps: 2\nbatch-size: 16\nseed: 5\n", to: "c.yaml")
    let outcome = try Program.run(
      "train", "--config", "c.yaml", "--steps", "3", "--out", "r", "--quiet", "--json", in: folder)
    expectSuccess(outcome)
    #expect(outcome.errors.isEmpty)
    #expect(try outcome.json["steps"] == 3)
    let resolved = try String(contentsOfFile: folder.file("r/config.yaml"), encoding: .utf8)
    for line in ["data: moons\n", "steps: 3\n", "seconds: 0.0\n", "seed: 5\n", "solver: dopri5\n"] {
      #expect(resolved.contains(line), "no \(line)")
    }
    // A resolved file holds every setting: a run by it alone has the same weights.
    expectSuccess(try Program.run("train", "--config", "r/config.yaml", "--out", "again", in: folder))
    #expect(try folder.contents(of: "r")["best.safetensors"] == folder.contents(of: "again")["best.safetensors"])
  }

  @Test func everyCommandHasHelp() throws {
    for command in ["train", "sample", "logprob", "evaluate", "plot", "info", "bench", "datasets"] {
      let outcome = try run(command, "--help")
      #expect(outcome.code == 0 && outcome.output.contains("OVERVIEW") && outcome.errors.isEmpty)
    }
    #expect(try run("--help").output.contains("Exit codes"))
  }
}
