import FlowIO
import Foundation
import Testing

/// `cnf train --model` and `--blocks`: runs of discrete and stacked flows, from training to plots.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ModelTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let small = [
    "--data", "pinwheel", "--count", "300", "--steps", "12", "--batch-size", "64", "--validation-interval", "6",
    "--checkpoint-interval", "6", "--threads", "2", "--json", "--quiet",
  ]
  private static let evaluation = [
    "--rtol", "1e-3", "--atol", "1e-3", "--evaluation-rtol", "1e-3", "--evaluation-atol", "1e-3",
  ]

  private func run(_ arguments: [String]) throws -> Program.Outcome {
    try Program.start(arguments, in: folder).outcome()
  }

  private func result(_ arguments: [String]) throws -> JSONValue {
    let outcome = try run(arguments)
    #expect(outcome.code == 0, "\(arguments): \(outcome.errors)")
    return try outcome.json
  }

  static let models: [(name: String, flags: [String])] = [
    ("coupling", ["--model", "coupling", "--depth", "4", "--hidden", "8,8"]), ("affine", ["--model", "affine"]),
    ("linear", ["--model", "linear"]), ("stacked", ["--blocks", "2", "--hidden", "8"] + evaluation),
  ]

  @Test(arguments: models) func everyCommandKnowsThem(model: (name: String, flags: [String])) throws {
    let trained = try result(["train", "--out", "run"] + Self.small + model.flags)
    #expect(trained["steps"] == 12 && trained["failed"] == 0 && trained["gaussian_nll_nats"]?.doubleValue != nil)
    let configuration = try String(contentsOfFile: folder.file("run/config.yaml"), encoding: .utf8)
    #expect(configuration.contains("model: \(model.name)\n"))
    let kinds = ["density", "training"] + (model.name == "stacked" ? ["paths"] : [])
    for kind in kinds { #expect(folder.exists("run/plots/\(kind).png"), "\(kind)") }
    #expect(folder.exists("run/plots/paths.png") == (model.name == "stacked"))

    let evaluated = try result(["evaluate", "run", "--json"])
    #expect(evaluated["nll_nats"] == trained["nll_nats"])
    // A solve evaluates the field; an exact map does not.
    #expect((evaluated["evaluations_mean"]?.doubleValue ?? 0 > 0) == (model.name == "stacked"))
    let drawn = try result(["sample", "run", "-n", "20", "--out", "x.npy", "--json"])
    #expect(drawn["count"] == 20 && drawn["dimension"] == 2)
    let densities = try result(["logprob", "run", "--data", "x.npy", "--json"])
    #expect(densities["failed"] == 0 && densities["logprob"]?.elements?.count == 20)
    // The file alone tells which model it holds.
    let alone = try result(
      ["logprob", "run/best.safetensors", "--data", "x.npy", "--json"]
        + (model.name == "stacked" ? Self.flags(Self.evaluation) : []))
    #expect(alone["logprob"] == densities["logprob"])
    #expect(try run(["plot", "run", "--kind", "density", "--out", "d.svg"]).code == 0)
    try checkAsAMap(solves: model.name == "stacked")
    let check = try run(["check-gradient", "run"])
    #expect(check.code == 64 && check.errors.contains("needs a continuous flow"), "\(check.errors)")
  }

  /// The inverse and the determinant of the Jacobian are right: to rounding where nothing is solved, else to the
  /// tolerance.
  private func checkAsAMap(solves: Bool) throws {
    let json = try result(["evaluate", "run", "--check-inverse", "--check-jacobian", "--json"])
    let table = try #require(json["inverse"]?["table"]?.elements)
    let doubles = table.filter { $0["precision"] == "double" }
    #expect(table.count == (solves ? 11 : 1) && doubles.count == (solves ? 7 : 1))
    #expect(json["inverse"]?["run"]?["precision"] == "float")
    let differences = try #require(json["jacobian"]?["table"]?.elements)
    #expect(differences.count == doubles.count)
    for (row, difference) in zip(doubles, differences) {
      let tolerance = row["tolerance"]?.doubleValue
      #expect((tolerance != nil) == solves && difference["tolerance"] == row["tolerance"])
      // Several tens of steps, each with an error at the tolerance; or of layers, each with a few ulp of numbers below
      // a hundred.
      let bound = tolerance.map { 100 * $0 } ?? 1e3 * Double.ulpOfOne
      for start in ["data", "drawn"] {
        for figure in ["x_max", "log_det_max"] {
          #expect(row[start]?[figure]?.doubleValue ?? .nan < bound, "\(start), \(figure): \(row)")
        }
        #expect(row[start]?["failed"] == 0)
      }
      #expect(difference["difference_max"]?.doubleValue ?? .nan < bound, "\(difference)")
    }
    let words = try run(["evaluate", "run", "--check-inverse", "--check-jacobian"])
    #expect(words.output.contains("forth and back, 30 data samples") && words.output.contains("log |det|"))
    #expect(words.output.contains("log-determinants of the layers") == !solves, "\(words.output)")
  }

  /// The flags of the evaluation solver, as commands other than train name them.
  private static func flags(_ training: [String]) -> [String] { Array(training.prefix(4)) }

  @Test(arguments: models) func resumedRunsAreTheSame(model: (name: String, flags: [String])) throws {
    let whole = try result(["train", "--out", "whole"] + Self.small + model.flags)
    var half = Self.small
    half[half.firstIndex(of: "12")!] = "6"
    _ = try result(["train", "--out", "half", "--schedule", "constant"] + half + model.flags)
    let constant = try result(["train", "--out", "constant", "--schedule", "constant"] + Self.small + model.flags)
    let resumed = try result(["train", "--resume", "half", "--steps", "12", "--json", "--quiet"])
    #expect(resumed["nll_nats"] == constant["nll_nats"] && resumed["steps"] == 12)
    #expect(whole["nll_nats"] != constant["nll_nats"])
  }

  @Test(arguments: [
    (["--model", "coupling", "--solver", "rk4", "--fixed-steps", "4"], "solver is rk4"),
    (["--model", "affine", "--trace", "hutchinson"], "trace is hutchinson"),
    (["--model", "linear", "--kinetic", "0.01"], "kinetic is 0.01"),
    (["--model", "coupling", "--objective", "flow-matching"], "objective is flow-matching"),
    (["--model", "coupling", "--blocks", "2"], "blocks is 2"), (["--model", "affine", "--hidden", "8"], "hidden is"),
    (["--model", "coupling", "--base", "uniform"], "base is uniform"), (["--depth", "4"], "depth is 4"),
    (["--model", "flow", "--blocks", "2"], "blocks is 2"), (["--blocks", "2", "--depth", "4"], "depth is 4"),
    (["--blocks", "2", "--objective", "flow-matching"], "objective is flow-matching"),
    (["--blocks", "0"], "blocks is 0, must be from 1 to 1024"),
    (["--model", "coupling", "--depth", "0"], "depth is 0"),
    (["--blocks", "2", "--steer", "0.1"], "steer is 0.1"), (["--model", "affine", "--steer", "0.1"], "steer is 0.1"),
    (["--blocks", "2", "--base", "uniform"], "base is uniform"), (["--model", "cuopling"], "coupling"),
  ]) func settingsWithoutUseAreRefused(flags: [String], reason: String) throws {
    let outcome = try run(["train", "--data", "pinwheel", "--count", "100", "--out", "refused"] + flags)
    #expect(outcome.code == 64 && outcome.errors.contains(reason), "\(flags): \(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1 && !folder.exists("refused"))
  }

  @Test func oneColumnIsTooFewForCoupling() throws {
    try (0..<40).map { "\(Double($0) / 7)" }.joined(separator: "\n").write(
      toFile: folder.file("one.csv"), atomically: true, encoding: .utf8)
    let outcome = try run(["train", "--data", "one.csv", "--model", "coupling", "--out", "refused"])
    #expect(outcome.code == 64 && outcome.errors.contains("at least two columns"), "\(outcome.errors)")
    let affine = try result([
      "train", "--data", "one.csv", "--model", "affine", "--out", "one", "--steps", "5", "--json", "--quiet",
    ])
    #expect(affine["failed"] == 0)
  }
}
