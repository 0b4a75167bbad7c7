import FlowIO
import Foundation
import Testing

/// Conditional flows, checks of a flow as a map, and the logit transform, on the command line.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ConditionalTests {
  private static let withoutSolves = [
    "--hidden", "8", "--steps", "20", "--batch-size", "64", "--validation-interval", "10", "--evaluation-rtol", "1e-4",
    "--evaluation-atol", "1e-4", "--quiet", "--json",
  ]
  private static let quick = withoutSolves + ["--rtol", "1e-3", "--atol", "1e-3"]

  /// `columns`, a run on two columns conditioned on the third; `classes`, a run on the digits conditioned on their
  /// class.
  private static let shared = Result {
    let folder = try TemporaryFolder()
    let rows = (0..<200).map { row -> String in
      let (a, b) = (sin(Double(row)), cos(1.7 * Double(row)))
      return "\(a + b),\(a - 0.5 * b),\(20 + 3 * a)"
    }
    try folder.write(rows.joined(separator: "\n") + "\n", to: "data.csv")
    let columns = try Program.start(
      ["train", "--data", "data.csv", "--condition-columns", "1", "--out", "columns"] + quick, in: folder
    ).outcome()
    #expect(columns.code == 0, "\(columns.errors)")
    let classes = try Program.run(
      "train", "--data", "digits", "--condition", "labels", "--out", "classes", "--hidden", "8", "--steps", "150",
      "--fixed-steps", "2", "--evaluation-solver", "rk4", "--evaluation-fixed-steps", "2", "--quiet", "--json",
      in: folder)
    #expect(classes.code == 0, "\(classes.errors)")
    return (folder: folder, columns: columns, classes: classes)
  }

  private func run(_ arguments: String...) throws -> Program.Outcome {
    try Program.start(arguments, in: Self.shared.get().folder).outcome()
  }

  private func succeed(_ arguments: String...) throws -> Program.Outcome {
    let outcome = try Program.start(arguments, in: Self.shared.get().folder).outcome()
    #expect(outcome.code == 0, "\(arguments): \(outcome.errors)")
    return outcome
  }

  @Test func columnsAreConditions() throws {
    let (folder, columns, _) = try Self.shared.get()
    #expect(try columns.json["failed"] == 0 && columns.json["bayes_accuracy"] == nil)
    #expect(folder.exists("columns/plots/density.png") && folder.exists("columns/plots/paths.png"))
    let configuration = try String(contentsOfFile: folder.file("columns/config.yaml"), encoding: .utf8)
    #expect(configuration.contains("condition-columns: 1\n") && configuration.contains("condition: none\n"))

    // Context from its own file, or in columns behind the samples: the same numbers.
    try folder.write("0.5,1\n1,-1\n", to: "points.csv")
    try folder.write("21\n18\n", to: "context.csv")
    try folder.write("21\n", to: "one.csv")
    try folder.write("0.5,1,21\n1,-1,18\n", to: "both.csv")
    let apart = try succeed("logprob", "columns", "--data", "points.csv", "--context", "context.csv").output
    #expect(try succeed("logprob", "columns", "--data", "both.csv").output == apart)
    let single = try succeed("logprob", "columns", "--data", "points.csv", "--context", "one.csv").output
    let (first, second) = (apart.split(separator: "\n"), single.split(separator: "\n"))
    #expect(first.count == 2 && first[0] == second[0] && first[1] != second[1])
    #expect(try succeed("evaluate", "columns", "--data", "both.csv", "--json").json["count"] == 2)
    #expect(try succeed("check-gradient", "columns", "--samples", "2").output.contains("context"))
  }

  /// The last column is the log-density that logprob computes; in JSON it is a list of its own.
  @Test func samplesComeWithTheirDensities() throws {
    let (folder, _, _) = try Self.shared.get()
    try folder.write("21\n", to: "here.csv")
    let flags = ["columns", "-n", "5", "--context", "here.csv"]
    let outcome = try Program.start(
      ["sample"] + flags + ["--log-density", "--out", "s.npy", "--json"], in: folder
    ).outcome()
    #expect(outcome.code == 0, "\(outcome.errors)")
    let table = try NumPyFile.read(folder.file("s.npy"))
    #expect(table.shape == [5, 3] && table.elementType == .float64)
    let stated = try #require(try outcome.json["log_density"]?.elements?.compactMap(\.doubleValue))
    let values = table.doubles()
    let points = (0..<5).map { "\(values[3 * $0]),\(values[3 * $0 + 1])" }.joined(separator: "\n")
    try folder.write(points + "\n", to: "drawn.csv")
    let found = try succeed("logprob", "columns", "--data", "drawn.csv", "--context", "here.csv").output
      .split(separator: "\n").compactMap { Double($0) }
    #expect(stated.count == 5 && found.count == 5)
    for sample in 0..<5 {
      #expect(stated[sample] == values[3 * sample + 2])
      // Two solves of about ten steps at 1e-4.
      #expect(abs(found[sample] - stated[sample]) < 2 * 10 * 1e-4)
    }
    let plain = try succeed("sample", "columns", "-n", "2", "--context", "here.csv").output
    #expect(plain.split(separator: "\n").allSatisfy { $0.split(separator: ",").count == 2 })
    #expect(
      try succeed("sample", "columns", "-n", "2", "--context", "here.csv", "--log-density").output
        .split(separator: "\n").allSatisfy { $0.split(separator: ",").count == 3 })
  }

  @Test func classesAreConditions() throws {
    let (folder, _, classes) = try Self.shared.get()
    let json = try classes.json
    #expect(json["count"] == 360 && json["classes"] == 10 && json["class_solves_failed"] == 0)
    let accuracy = try #require(json["bayes_accuracy"]?.doubleValue)
    // Guessing the most frequent class is right for 11 %, with a standard error of 1.7 %; this short run reaches 66 %,
    // three steps 8 %.
    #expect(accuracy > 0.4)
    #expect(json["marginal_nll_nats"]?.doubleValue?.isFinite == true)
    #expect(folder.exists("classes/plots/samples.png"))
    let words = try succeed("evaluate", "classes").output
    #expect(words.contains("NLL above is of p(x|c)") && words.contains("by the largest p(x|c) p(c)"))
    let again = try succeed("evaluate", "classes", "--json")
    #expect(try again.json["bayes_accuracy"] == json["bayes_accuracy"])
    let three = try succeed("sample", "classes", "-n", "2", "--class", "3").output
    #expect(try succeed("sample", "classes", "-n", "2", "--class", "4").output != three)
    let oneHot = (0..<10).map { $0 == 3 ? "1" : "0" }.joined(separator: ",")
    try folder.write(oneHot + "\n", to: "three.csv")
    #expect(try succeed("sample", "classes", "-n", "2", "--context", "three.csv").output == three)
    #expect(try succeed("logprob", "classes", "--data", "digits", "--json").json["count"] == 1797)
  }

  /// A run that is stopped and resumed has the same result as one that is not stopped.
  @Test func conditionalRunsAreResumed() throws {
    let (folder, _, _) = try Self.shared.get()
    func train(_ arguments: [String]) throws {
      let outcome = try Program.start(["train"] + arguments, in: folder).outcome()
      #expect(outcome.code == 0, "\(outcome.errors)")
    }
    let flags =
      ["--data", "data.csv", "--condition-columns", "1", "--objective", "flow-matching", "--schedule", "constant"]
      + Self.withoutSolves
    try train(["--out", "whole"] + flags)
    try train(["--out", "half"] + flags + ["--steps", "10"])
    let refused = try run("train", "--resume", "half", "--condition-columns", "2", "--steps", "20")
    #expect(refused.code == 64 && refused.errors.contains("condition-columns cannot change"))
    try train(["--resume", "half", "--steps", "20", "--quiet"])
    let weights = try ["whole", "half"].map {
      try SafetensorsFile(path: folder.file("\($0)/checkpoint.safetensors")).floats(named: "net.0.weight")
    }
    // x, c and t.
    #expect(weights[0] == weights[1] && weights[0].count == 8 * 4)
  }

  @Test func inversesAndJacobiansAreChecked() throws {
    let json = try succeed("evaluate", "columns", "--check-inverse", "--check-jacobian", "--json").json
    let table = try #require(json["inverse"]?["table"]?.elements)
    // Float to 1e-6, double to 1e-9.
    #expect(table.count == 11 && json["inverse"]?["run"]?["precision"] == "float")
    let tolerances = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9]
    let doubles = table.filter { $0["precision"] == "double" }
    for start in ["data", "drawn"] {
      for figure in ["x_max", "x_rms", "log_det_max", "log_det_rms"] {
        let figures = doubles.compactMap { $0[start]?[figure]?.doubleValue }
        #expect(figures.count == 7 && figures.allSatisfy { $0 > 0 }, "\(start) \(figure)")
        // Several tens of steps, each with an error at the tolerance.
        for (figure, tolerance) in zip(figures, tolerances) { #expect(figure < 100 * tolerance, "\(start)") }
      }
      #expect(table.allSatisfy { $0[start]?["failed"] == 0 })
    }
    let rows = try #require(json["jacobian"]?["table"]?.elements)
    let differences = rows.compactMap { $0["difference_max"]?.doubleValue }
    #expect(differences.count == 7 && differences.allSatisfy { $0 > 0 })
    for (difference, tolerance) in zip(differences, tolerances) { #expect(difference < 100 * tolerance) }
    let words = try succeed("evaluate", "columns", "--check-inverse", "--check-jacobian", "--fixed-steps", "4").output
    #expect(words.contains("forth and back, 20 data samples") && words.contains("log |det|"))
  }

  @Test func logitsAreTrained() throws {
    let folder = try TemporaryFolder()
    let outcome = try Program.run(
      "train", "--data", "digits", "--transform", "logit", "--out", "d", "--hidden", "8", "--steps", "3",
      "--fixed-steps", "2", "--evaluation-solver", "rk4", "--evaluation-fixed-steps", "2", "--quiet", "--json",
      in: folder)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try outcome.json["bits_per_dim"]?.doubleValue?.isFinite == true)
    #expect(
      try SafetensorsFile(path: folder.file("d/best.safetensors")).metadata["transform.logit_alpha"] == "1e-06")
    let row = Array(repeating: "0.5", count: 64)
    try folder.write("\((["3"] + row.dropFirst()).joined(separator: ","))\n", to: "levels.csv")
    let densities = try Program.run("logprob", "d", "--data", "levels.csv", in: folder)
    #expect(densities.code == 0 && densities.output == "-inf\n" && densities.errors.contains("scale them"))
    let refused = try Program.run("evaluate", "d", "--data", "levels.csv", in: folder)
    #expect(refused.code == 65 && refused.errors.contains("levels.csv holds 3.0 in row 1, column 1"))

    try folder.write((0..<50).map { "\(Double($0) / 49)" }.joined(separator: "\n") + "\n", to: "unit.csv")
    let unit = try Program.start(
      ["train", "--data", "unit.csv", "--transform", "logit", "--out", "u"] + Self.quick, in: folder
    ).outcome()
    #expect(unit.code == 0, "\(unit.errors)")
    #expect(try SafetensorsFile(path: folder.file("u/best.safetensors")).metadata["transform.logit_alpha"] == "0.05")
  }

  /// One sentence that names the thing and the fix.
  static let refused: [BadInputTests.Case] = [
    .init(arguments: ["sample", "classes", "-n", "2"], code: 64, words: ["--class 0 to 9"]),
    .init(arguments: ["sample", "classes", "-n", "2", "--class", "10"], code: 64, words: ["--class is 10", "0 to 9"]),
    .init(arguments: ["sample", "classes", "-n", "2", "--class", "-1"], code: 64, words: ["--class is -1"]),
    .init(
      arguments: ["sample", "classes", "-n", "2", "--class", "1", "--context", "data.csv"], code: 64, words: ["exclude"]
    ),
    .init(arguments: ["sample", "columns", "-n", "2"], code: 64, words: ["1 columns", "--context"]),
    .init(arguments: ["sample", "columns", "-n", "2", "--class", "1"], code: 64, words: ["--class", "--context"]),
    .init(
      arguments: ["sample", "columns", "-n", "2", "--context", "data.csv"], code: 65, words: ["data.csv", "3 columns"]),
    .init(arguments: ["sample", "columns", "-n", "2", "--context", "absent.csv"], code: 65, words: ["absent.csv"]),
    .init(
      arguments: ["sample", "columns", "-n", "2", "--context", "three-rows.csv"], code: 65,
      words: ["3 rows for 2 samples"]),
    .init(arguments: ["sample", "columns", "-n", "1", "--context", "nan.csv"], code: 65, words: ["nan.csv", "nan"]),
    .init(arguments: ["evaluate", "columns", "--data", "pair.csv"], code: 64, words: ["--context"]),
    .init(arguments: ["evaluate", "columns", "--context", "pair.csv"], code: 64, words: ["--data"]),
    .init(arguments: ["logprob", "columns", "--data", "three-rows.csv"], code: 65, words: ["1 columns", "3 columns"]),
    .init(
      arguments: ["logprob", "columns", "--data", "four.csv"], code: 65,
      words: ["4 columns", "trained on 2 and 1 of context", "bring data with 3 columns", "--context FILE"]),
    .init(
      arguments: ["sample", "classes", "-n", "2", "--context", "odd.csv"], code: 65,
      words: ["odd.csv", "row 2", "not a class"]),
    .init(
      arguments: ["train", "--data", "checkerboard", "--condition", "labels", "--out", "x"], code: 65,
      words: ["checkerboard", "no labels"]),
    .init(
      arguments: ["train", "--data", "pinwheel", "--condition", "label", "--out", "x"], code: 64,
      words: ["'label'", "'labels'"]),
    .init(
      arguments: ["train", "--data", "pinwheel", "--condition-columns", "2", "--out", "x"], code: 65,
      words: ["cannot be targets or context"]),
    .init(
      arguments: ["train", "--data", "digits", "--condition-columns", "2", "--out", "x"], code: 64,
      words: ["--condition labels"]),
    .init(
      arguments: ["train", "--data", "pinwheel", "--condition-columns", "-1", "--out", "x"], code: 64,
      words: ["condition-columns is -1"]),
    .init(
      arguments: ["train", "--data", "digits", "--condition", "labels", "--condition-columns", "2", "--out", "x"],
      code: 64, words: ["exclude"]),
    .init(
      arguments: ["train", "--data", "pinwheel", "--transform", "logit", "--out", "x"], code: 65,
      words: ["pinwheel holds", "above -0.05555555555555556 and below 1.0555555555555556"]),
    .init(
      arguments: ["train", "--data", "pinwheel", "--logit-alpha", "0.1", "--out", "x"], code: 64,
      words: ["logit-alpha", "--transform logit"]),
    .init(
      arguments: ["train", "--data", "digits", "--transform", "logit", "--logit-alpha", "0.5", "--out", "x"], code: 64,
      words: ["logit-alpha is 0.5"]),
  ]

  @Test(arguments: refused) func badInput(test: BadInputTests.Case) throws {
    let (folder, _, _) = try Self.shared.get()
    try folder.write("1\n2\n3\n", to: "three-rows.csv")
    try folder.write("nan\n", to: "nan.csv")
    try folder.write("1,2,3,4\n", to: "four.csv")
    let zeros = Array(repeating: "0", count: 9).joined(separator: ",")
    try folder.write("1,\(zeros)\n0,\(zeros)\n", to: "odd.csv")
    try folder.write("0.5,1\n", to: "pair.csv")
    let outcome = try Program.start(test.arguments, in: folder).outcome()
    #expect(outcome.code == test.code, "\(outcome.code), \(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output.isEmpty, "\(outcome.errors)")
    for word in test.words { #expect(outcome.errors.contains(word), "no '\(word)' in: \(outcome.errors)") }
    #expect(!folder.exists("x"))
  }

  @Test func unconditionalRunsTakeNoContext() throws {
    let (trained, _) = try TrainedFolder.shared.get()
    for flag in [["--class", "1"], ["--context", "run/config.yaml"]] {
      let outcome = try Program.start(["sample", "run", "-n", "1"] + flag, in: trained).outcome()
      #expect(outcome.code == 64 && outcome.errors.contains("\(flag[0]) is for a conditional flow"))
    }
  }
}
