import FlowIO
import Foundation
import Testing

/// A setting that a run does not use is refused, whatever the model and whatever the setting says: model by key.
@Suite(.serialized, .timeLimit(.minutes(3))) struct UnusedSettingsTests {
  /// A model or objective with settings that it does not use.
  struct Case: Sendable, CustomTestStringConvertible {
    let flags: [String]
    /// What the sentence calls it.
    let who: String
    let unused: [String]
    var testDescription: String { flags.joined(separator: " ") }
  }

  /// Every key that some run does not use, with a value that is not the default, and with the default.
  private static let values: [String: (other: String, standard: String)] = [
    "blocks": ("3", "1"), "depth": ("3", "10"), "hidden": ("8", "64,64,64"), "activation": ("silu", "tanh"),
    "layer": ("concat", "input"), "dropout": ("0.1", "0"), "time-features": ("2", "0"), "end-time": ("2", "1"),
    "base": ("gaussian", "standard-normal"), "condition": ("labels", "none"), "condition-columns": ("1", "0"),
    "targets": ("1", "0"), "augment": ("1", "0"), "encoder": ("4", "none"), "head": ("4", "none"),
    "residual-steps": ("4", "0"), "path": ("trigonometric", "linear"),
    "coupling": ("optimal-transport", "independent"), "process": ("ve", "vp"), "weighting": ("likelihood", "noise"),
    "solver": ("rk4", "dopri5"), "rtol": ("1e-2", "1e-5"), "atol": ("1e-2", "1e-5"), "fixed-steps": ("3", "0"),
    "step-size": ("0.5", "1"), "solver-max-steps": ("99", "4096"), "controller": ("proportional-integral", "integral"),
    "norm": ("max", "rms"), "trace": ("hutchinson", "automatic"), "probe": ("gaussian", "rademacher"),
    "probes": ("3", "1"), "precision": ("mixed", "full"), "adjoint": ("every-3", "every-step"),
    "evaluation-solver": ("bosh3", "dopri5"), "evaluation-rtol": ("1e-2", "1e-5"),
    "evaluation-atol": ("1e-2", "1e-5"), "evaluation-fixed-steps": ("3", "0"),
    "evaluation-trace": ("hutchinson", "exact"), "kinetic": ("0.1", "0"), "frobenius": ("0.1", "0"),
    "steer": ("0.1", "0"), "transport": ("0.1", "0"), "hjb": ("0.1", "0"), "residual": ("true", "false"),
    "layer-norm": ("true", "false"), "hyper-units": ("3", "0"), "separable": ("true", "false"),
    "adjoint-bytes": ("4096", "0"), "context-share": ("0.1", "0.02"), "first-step": ("0.1", "0"),
    "max-step": ("0.1", "0"),
  ]

  private static let matching = ["path", "coupling", "context-share"]
  private static let scoring = ["process", "weighting"]
  private static let outputs = ["targets", "augment", "encoder", "head", "residual-steps"]
  private static let costs = ["transport", "hjb"]
  private static let penalties = ["kinetic", "frobenius", "steer"]
  private static let conditions = ["condition", "condition-columns"]
  private static let field = ["layer", "dropout", "time-features", "residual", "layer-norm", "hyper-units"]
  private static let traces = ["trace", "evaluation-trace", "probe", "probes"]
  private static let training = [
    "solver", "rtol", "atol", "fixed-steps", "step-size", "precision", "adjoint", "adjoint-bytes",
  ]
  private static let solves = [
    "controller", "first-step", "max-step", "norm", "evaluation-solver", "evaluation-rtol", "evaluation-atol",
    "evaluation-fixed-steps",
  ]
  private static let energy = ["separable"]
  private static let discrete =
    ["blocks", "end-time", "solver-max-steps"] + energy + outputs + costs + penalties + conditions + field + traces
    + training
    + solves

  static let cases: [Case] = [
    Case(flags: ["--model", "flow"], who: "objective likelihood", unused: matching + scoring),
    Case(flags: ["--model", "flow"], who: "model flow", unused: ["blocks", "depth"] + energy + outputs + costs),
    Case(
      flags: ["--objective", "flow-matching"], who: "objective flow-matching",
      unused: training + scoring + penalties + ["trace"]),
    Case(
      flags: ["--model", "timed-flow"], who: "model timed-flow",
      unused: ["blocks", "depth"] + energy + outputs + costs),
    Case(
      flags: ["--model", "stacked"], who: "model stacked",
      unused: ["depth", "steer"] + energy + outputs + costs + conditions),
    Case(
      flags: ["--model", "classifier"], who: "model classifier",
      unused: ["blocks", "depth", "base", "residual-steps"] + energy + costs + penalties + conditions + traces),
    Case(
      flags: ["--model", "regression", "--targets", "1"], who: "model regression",
      unused: ["blocks", "depth", "base", "residual-steps"] + energy + costs + penalties + conditions + traces),
    Case(
      flags: ["--model", "residual-network"], who: "model residual-network",
      unused: ["blocks", "depth", "base", "solver", "rtol", "atol", "fixed-steps", "step-size", "solver-max-steps"]
        + energy + costs + penalties + conditions + traces + solves),
    Case(flags: ["--model", "classifier"], who: "objective likelihood", unused: matching + scoring),
    Case(flags: ["--model", "coupling"], who: "model coupling", unused: discrete),
    Case(flags: ["--model", "coupling"], who: "objective likelihood", unused: matching + scoring),
    Case(
      flags: ["--model", "affine"], who: "model affine",
      unused: discrete + ["hidden", "activation", "depth"]),
    Case(
      flags: ["--model", "linear"], who: "model linear",
      unused: discrete + ["hidden", "activation", "depth"]),
    Case(
      flags: ["--model", "hamiltonian"], who: "model hamiltonian",
      unused: ["blocks", "depth", "steer"] + outputs + costs + conditions + field + traces),
    Case(flags: ["--model", "hamiltonian"], who: "objective likelihood", unused: matching + scoring),
    Case(
      flags: ["--model", "potential"], who: "model potential",
      unused: ["blocks", "depth", "probe", "probes"] + energy + outputs + penalties + conditions + field),
    Case(
      flags: ["--model", "diffusion"], who: "model diffusion",
      unused: ["blocks", "depth", "base", "end-time"] + energy + outputs + costs + conditions + penalties),
    Case(
      flags: ["--model", "diffusion"], who: "objective score-matching",
      unused: training + matching + ["trace"]),
  ]

  private let folder = try! TemporaryFolder()

  private func train(_ flags: [String]) throws -> Program.Outcome {
    let outcome = try Program.start(
      ["train", "--data", "pinwheel", "--count", "100", "--out", "new"] + flags, in: folder
    ).outcome()
    let name = Comment(rawValue: "\(flags): \(outcome.code), \(outcome.errors)")
    #expect(outcome.code == 64 && outcome.errors.split(separator: "\n").count == 1, name)
    #expect(!folder.exists("new"), name)
    return outcome
  }

  /// A switch takes no value.
  private static func flag(_ key: String, _ value: String) -> [String] {
    switch value {
    case "true": ["--\(key)"]
    case "false": ["--no-\(key)"]
    default: ["--\(key)", value]
    }
  }

  /// The cases leave out no setting that a declaration says is not used, and name none that is used.
  @Test func casesAgreeWithTheDeclarations() throws {
    let outcome = try Program.run("settings", "--data", "pinwheel", "--json", in: folder)
    let settings = try #require(try outcome.json.elements).filter { $0["is_flag"] == true }
    func words(_ setting: JSONValue, _ kind: String) -> [String] {
      setting[kind]?.elements?.compactMap(\.text) ?? []
    }
    for kind in ["model", "objective"] {
      for word in Set(settings.flatMap { words($0, kind + "s") }).sorted() {
        let unused = Set(settings.filter { !words($0, kind + "s").contains(word) }.compactMap { $0["name"]?.text })
        let own = Self.cases.filter { $0.who == "\(kind) \(word)" }
        // If neither the model nor the objective uses a setting, the sentence names the model alone.
        let others = Self.cases.filter { other in own.contains { $0.flags == other.flags && $0.who != other.who } }
        // "step-size" is a second flag of the setting "fixed-steps".
        let stated = Set(own.flatMap(\.unused)).subtracting(["step-size"])
        #expect(
          stated == unused.subtracting(others.flatMap(\.unused)), "\(kind) \(word): correct `cases` and `values`")
      }
    }
  }

  /// A flag is refused also at its default; all of them at once, in one sentence.
  @Test(arguments: cases) func flagsAtTheirDefaultsAreRefused(test: Case) throws {
    // Steps by number and by length exclude each other.
    let keys = test.unused.filter { $0 != "step-size" }
    let arguments = try keys.flatMap { key in
      let isEuler = key == "evaluation-solver" && test.flags.contains("residual-network")
      return Self.flag(key, isEuler ? "euler" : try #require(Self.values[key]).standard)
    }
    let outcome = try train(test.flags + arguments)
    #expect(outcome.errors.contains("which \(test.who) does not use"), "\(outcome.errors)")
    for key in keys {
      let name = try Self.flag(key, #require(Self.values[key]).standard)[0]
      #expect(outcome.errors.contains(name), "\(name) in \(outcome.errors)")
    }
  }

  /// At another value each is refused by itself.
  @Test(arguments: cases) func everyUnusedSettingIsRefused(test: Case) throws {
    // The others that these do not use are those of the coupling flow.
    let isAffine = ["affine", "linear"].contains(test.flags[1])
    for key in test.unused where !isAffine || !Self.discrete.contains(key) {
      let value = try #require(Self.values[key]).other
      let outcome = try train(test.flags + Self.flag(key, value))
      #expect(outcome.errors.contains(key), "\(key): \(outcome.errors)")
      #expect(!outcome.errors.contains("which cannot choose its own steps"), "\(key): \(outcome.errors)")
    }
  }

  /// Settings that a model uses are accepted: a run with all of them trains.
  @Test(arguments: [
    ["--objective", "flow-matching", "--evaluation-rtol", "1e-2", "--controller", "proportional-integral"],
    ["--model", "classifier", "--solver", "bosh3", "--rtol", "1e-2", "--adjoint", "every-3"],
    ["--model", "residual-network", "--residual-steps", "2", "--adjoint", "every-2"],
    ["--model", "hamiltonian", "--frobenius", "0.01", "--trace", "hutchinson", "--probes", "2"],
    ["--model", "potential", "--trace", "exact", "--fixed-steps", "2"],
    ["--model", "coupling", "--objective", "likelihood"],
    ["--model", "diffusion", "--objective", "score-matching", "--process", "vp"],
  ]) func whatIsOfUseIsTaken(flags: [String]) throws {
    let common = [
      "train", "--data", "concentric", "--count", "100", "--hidden", "8,8", "--steps", "1", "--out", "used", "--quiet",
    ]
    let outcome = try Program.start(common + flags, in: folder).outcome()
    #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
  }

  /// A value of a config file counts where it is not the default: the resolved file of one run can start another.
  @Test func aResolvedFileIsNotRefused() throws {
    let flags = ["--count", "100", "--steps", "1", "--quiet"]
    for model in ["affine", "coupling"] {
      let first = try Program.start(
        ["train", "--data", "pinwheel", "--model", model, "--out", model] + flags, in: folder
      ).outcome()
      #expect(first.code == 0, "\(first.errors)")
      let again = try Program.run(
        "train", "--config", "\(model)/config.yaml", "--out", "\(model)-again", "--quiet", in: folder)
      #expect(again.code == 0, "\(again.errors)")
    }
    let other = try Program.run("train", "--config", "affine/config.yaml", "--depth", "10", "--out", "new", in: folder)
    #expect(other.code == 64 && other.errors.contains("depth is 10"), "\(other.errors)")
  }

  /// Later commands refuse solver flags that the model does not use, as train does.
  @Test func laterCommandsRefuseFlagsWithoutUse() throws {
    let flags = ["--count", "100", "--steps", "1", "--quiet"]
    let models: [(model: [String], refused: [[String]])] = [
      (
        ["--data", "pinwheel", "--model", "coupling"],
        [
          ["--solver", "dopri5"], ["--rtol", "1e-3"], ["--trace", "exact"], ["--step-size", "0.1"], ["--norm", "rms"],
        ]
      ),
      (["--data", "concentric", "--model", "classifier"], [["--trace", "hutchinson"], ["--probes", "1"]]),
      (["--data", "concentric", "--model", "residual-network"], [["--solver", "rk4"], ["--fixed-steps", "3"]]),
    ]
    try folder.write("0.5,1\n", to: "point.csv")
    for (model, refused) in models {
      let name = model[3]
      let trained = try Program.start(["train", "--out", name] + model + flags, in: folder).outcome()
      #expect(trained.code == 0, "\(trained.errors)")
      let calls =
        name == "coupling"
        ? [["evaluate", name], ["sample", name, "-n", "1"], ["logprob", name, "--data", "point.csv"]]
        : [["evaluate", name], ["predict", name, "--data", "point.csv"]]
      for call in calls {
        for flag in refused {
          let outcome = try Program.start(call + flag, in: folder).outcome()
          let words =
            "\(flag[0].dropFirst(2)) is \(Double(flag[1]).map { $0 < 1 ? "\($0)" : flag[1] } ?? flag[1]), which"
          #expect(outcome.code == 64 && outcome.errors.contains(words), "\(call + flag): \(outcome.errors)")
          #expect(outcome.errors.contains("leave \(flag[0]) out") && outcome.output.isEmpty, "\(outcome.errors)")
        }
      }
    }
  }
}
