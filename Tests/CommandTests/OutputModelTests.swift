import FlowIO
import Foundation
import Testing

/// Classifiers, regressions and residual networks on the command line.
@Suite(.serialized, .timeLimit(.minutes(3))) struct OutputModelTests {
  private static let small = ["--threads", "2", "--json", "--quiet"]
  private static let planar = small + ["--hidden", "16", "--layer", "ignore", "--count", "1000", "--steps", "300"]

  private func run(_ arguments: [String], in folder: TemporaryFolder) throws -> Program.Outcome {
    let outcome = try Program.start(arguments, in: folder).outcome()
    #expect(outcome.code == 0, "\(arguments): \(outcome.errors)")
    return outcome
  }

  /// A disc inside a ring: no flow of the plane can separate them by a line; with one more dimension the disc can move
  /// out of the plane (Dupont, Doucet and Teh 2019, arXiv 1904.01681). The problem counts as solved as in
  /// Documentation/neural-ode.md: all fresh samples are right, apart from roundings of another machine, and the NLL is
  /// a small part of that without the dimension. Seeds 0 and 1 give 89.9 and 83.8 % without it (standard error 0.3 %),
  /// and all of 20,000 samples with it.
  @Test func circlesArePartedWithAnAugmentedDimensionAlone() throws {
    let folder = try TemporaryFolder()
    func figures(_ run: String, augment: String) throws -> JSONValue {
      let train = ["train", "--model", "classifier", "--data", "concentric", "--out", run, "--augment", augment]
      let trained = try self.run(train + Self.planar, in: folder).json
      #expect(try self.run(["evaluate", run, "--json"], in: folder).json["accuracy"] == trained["accuracy"])
      return try self.run(
        ["evaluate", run, "--data", "concentric", "--count", "20000", "--data-seed", "9", "--json"], in: folder
      ).json
    }
    let (plain, augmented) = (try figures("plain", augment: "0"), try figures("augmented", augment: "1"))
    #expect(plain["accuracy"]?.doubleValue ?? 1 < 0.97, "\(plain)")
    #expect(augmented["accuracy"]?.doubleValue ?? 0 >= 0.9995, "\(augmented)")
    #expect((augmented["nll_nats"]?.doubleValue ?? 1) * 10 < plain["nll_nats"]?.doubleValue ?? 0)
    for name in ["classes", "training", "evaluations"] {
      #expect(folder.exists("augmented/plots/\(name).png"), "\(name)")
    }

    // Predictions agree with the labels that the program knows.
    let points = (0..<40).map { angle -> String in
      let (turn, radius) = (Double(angle) * 0.5, angle % 2 == 0 ? 0.3 : 1.3)
      return "\(radius * cos(turn)),\(radius * sin(turn))"
    }
    try folder.write(points.joined(separator: "\n"), to: "points.csv")
    let predict = ["predict", "augmented", "--data", "points.csv"]
    let lines = try run(predict, in: folder).output.split(separator: "\n").compactMap { Int($0) }
    #expect(lines == (0..<40).map { $0 % 2 })
    let written = try run(
      predict + ["--out", "classes.npy", "--probabilities", "probabilities.npy", "--json"], in: folder
    ).json
    #expect(written["count"] == 40 && written["failed"] == 0 && written["out"]?.text == "classes.npy")
    #expect(try NumPyFile.read(folder.file("classes.npy")).doubles() == lines.map { Double($0) })
    let probabilities = try NumPyFile.read(folder.file("probabilities.npy"))
    #expect(probabilities.shape == [40, 2])
    let values = probabilities.floats()
    for row in 0..<40 { #expect(values[2 * row + lines[row]] > 0.5, "row \(row)") }

    for command in [
      ["sample", "-n", "3"], ["logprob", "--data", "points.csv"], ["check-gradient"], ["evaluate", "--check-inverse"],
    ] {
      let outcome = try Program.start([command[0], "augmented"] + command.dropFirst(), in: folder).outcome()
      #expect(
        outcome.code == 64 && outcome.errors.contains("augmented holds another model (neural ODE"), "\(outcome.errors)")
      #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }
  }

  /// With the defaults, 4 s of processor time, seeds 0 to 2 reach 97.78, 97.22 and 97.50 %
  /// (Documentation/neural-ode.md). The documentation promises 97 %, which is 350 of 360 digits.
  @Test func digitsAreClassified() throws {
    let folder = try TemporaryFolder()
    let train = ["train", "--model", "classifier", "--data", "digits", "--out", "run", "--seed", "0"]
    let json = try run(train + Self.small, in: folder).json
    #expect(json["count"] == 360 && json["accuracy"]?.doubleValue ?? 0 >= 0.97, "\(json)")
    #expect(json["guess_accuracy"]?.doubleValue ?? 1 < 0.15)
    #expect(try run(["evaluate", "run", "--json"], in: folder).json["nll_nats"] == json["nll_nats"])
    #expect(try run(["evaluate", "run"], in: folder).output.contains("360 held-out samples of 10 classes"))
  }

  /// A run that is stopped and resumed gives the same model, bit for bit, as one that is not stopped.
  @Test(arguments: ["classifier", "residual-network", "regression"])
  func runsGoOn(model: String) throws {
    let folder = try TemporaryFolder()
    let rows = (0..<80).map { row -> String in
      let (x, y) = (Double(row % 9) - 4, Double(row % 7) - 3)
      return "\(x),\(y),\(x * y > 0 ? 1 : 0)"
    }
    try folder.write(rows.joined(separator: "\n"), to: "table.csv")
    let flags =
      [
        "--model", model, "--data", "table.csv", "--targets", "1", "--hidden", "8", "--encoder", "4", "--head", "5",
        "--batch-size", "16", "--schedule", "constant", "--validation-interval", "10", "--dropout", "0.1",
      ] + Self.small
    let whole = try run(["train", "--out", "whole", "--steps", "30"] + flags, in: folder).json
    _ = try run(["train", "--out", "half", "--steps", "20"] + flags, in: folder)
    let resumed = try run(["train", "--resume", "half", "--steps", "30"] + Self.small, in: folder).json
    #expect(resumed["nll_nats"] == whole["nll_nats"] && resumed["best_step"] == whole["best_step"])
    let name = "best.safetensors"
    #expect(try folder.contents(of: "half")[name] == folder.contents(of: "whole")[name])

    // The file of the model works like the run, with data named.
    let alone = try run(["evaluate", "whole/\(name)", "--data", "table.csv", "--targets", "1", "--json"], in: folder)
    let figure = model == "classifier" ? "accuracy" : "mean_squared_error"
    #expect(try alone.json["count"] == 80 && alone.json[figure] != nil, "\(alone.output)")
    if model == "residual-network" { #expect(whole["evaluations_max"] == 8) }
    try folder.write("1,2\n3,-1\n", to: "new.csv")
    let answers = try run(["predict", "whole", "--data", "new.csv", "--json"], in: folder).json
    #expect(answers[model == "classifier" ? "classes" : "outputs"]?.elements?.count == 2, "\(answers)")
  }

  @Test func whatCannotBeIsSaidInOneSentence() throws {
    let folder = try TemporaryFolder()
    try folder.write((0..<20).map { "\($0),\($0 % 5),\($0 % 3)" }.joined(separator: "\n"), to: "table.csv")
    try folder.write((0..<20).map { "\($0),\($0 % 5),0.5" }.joined(separator: "\n"), to: "halves.csv")
    let flow = try Program.start(["train", "--out", "flow"] + TrainedFolder.smallRun, in: folder).outcome()
    #expect(flow.code == 0, "\(flow.errors)")
    func train(_ model: String, _ arguments: String...) -> [String] {
      ["train", "--out", "new", "--model", model] + arguments
    }
    let cases: [(arguments: [String], code: Int32, words: [String])] = [
      (train("classifir", "--data", "moons"), 64, ["'classifir'", "did you mean 'classifier'"]),
      (train("classifier", "--data", "table.csv"), 65, ["table.csv has no labels", "--targets 1"]),
      (train("classifier", "--data", "checkerboard"), 65, ["checkerboard has no labels"]),
      (train("classifier", "--data", "halves.csv", "--targets", "1"), 65, ["0.5", "row 1", "from 0 to 255"]),
      (train("classifier", "--data", "table.csv", "--targets", "2"), 64, ["targets is 2", "--targets 1"]),
      (train("regression", "--data", "table.csv"), 64, ["--targets K"]),
      (train("regression", "--data", "table.csv", "--targets", "3"), 65, ["3 columns", "from 1 to 2"]),
      (train("regression", "--data", "table.csv", "--targets", "-1"), 64, ["targets is -1"]),
      (train("classifier", "--data", "moons", "--augment", "-1"), 64, ["augment is -1", "from 1 to 4096"]),
      (train("classifier", "--data", "moons", "--encoder", "0"), 64, ["encoder is [0]", "from 1 to 65536"]),
      (train("classifier", "--data", "moons", "--head", "8,x"), 64, ["8,x", "--head"]),
      (train("classifier", "--data", "moons", "--residual-steps", "4"), 64, ["residual-steps", "residual-network"]),
      (train("residual-network", "--data", "moons", "--residual-steps", "0"), 64, ["residual-steps is 0"]),
      (train("residual-network", "--data", "moons", "--solver", "rk4"), 64, ["leave --solver"]),
      (train("flow", "--data", "moons", "--augment", "2"), 64, ["augment", "--model classifier"]),
      (train("classifier", "--data", "moons", "--kinetic", "0.1"), 64, ["kinetic is 0.1", "leave --kinetic out"]),
      (train("classifier", "--data", "digits", "--transform", "marginals"), 64, ["marginals", "standardise"]),
      (
        ["predict", "flow", "--data", "table.csv"], 64, ["classifier or regression", "flow holds another model (flow)"]
      ),
      (["predict", "nowhere", "--data", "table.csv"], 65, ["nowhere"]),
    ]
    for (arguments, code, words) in cases {
      let outcome = try Program.start(arguments, in: folder).outcome()
      let name = Comment(rawValue: "\(arguments): exit \(outcome.code), \(outcome.errors)")
      #expect(outcome.code == code, name)
      #expect(outcome.errors.hasPrefix("cnf: ") && outcome.errors.filter { $0 == "\n" }.count == 1, name)
      for word in words { #expect(outcome.errors.contains(word), "no '\(word)' in \(outcome.errors)") }
    }
    #expect(!folder.exists("new"))
  }
}
