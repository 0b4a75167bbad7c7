import FlowIO
import Foundation
import Testing

/// Every setting of the registry, as `cnf settings` lists it: what its declaration says is what flags, YAML and
/// refusals do.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SettingsTests {
  private let folder = try! TemporaryFolder()

  private struct Setting {
    let name, help, section, standard: String
    let words, models, objectives: [String]
    let isFlag, isSwitch: Bool
    let onlyWith: (name: String, value: String)?

    init(_ json: JSONValue) {
      func words(_ key: String) -> [String] { json[key]?.elements?.compactMap(\.text) ?? [] }
      (name, help) = (json["name"]?.text ?? "", json["help"]?.text ?? "")
      (section, standard) = (json["section"]?.text ?? "", json["default"]?.text ?? "")
      self.words = words("words")
      (models, objectives) = (words("models"), words("objectives"))
      (isFlag, isSwitch) = (json["is_flag"] == true, json["is_switch"] == true)
      let other = json["only_with"]
      onlyWith = other?["name"]?.text.flatMap { name in
        (other?["values"]?.elements?.first?.text).map { (name, $0) }
      }
    }

    /// A value that is not the default, and that the setting takes.
    var other: String {
      if let word = words.first(where: { $0 != standard && !$0.contains(":") }) { return word }
      switch name {
      case "steps", "seconds": return "7"
      case "hidden", "encoder", "head": return "[5, 5]"
      case "rtol", "atol", "evaluation-rtol", "evaluation-atol", "dropout", "steer", "average-decay", "logit-alpha":
        return "0.25"
      default: return isSwitch ? "true" : standard == "3" ? "4" : standard.contains(".") ? "3.0" : "3"
      }
    }

    /// Flags of a run that uses the setting, after the data.
    var context: [String] {
      var flags: [String] = []
      if name == "model" { return flags }
      if name == "blocks" || models.first != "flow" { flags += ["--model", models.first ?? ""] }
      if name != "objective", !objectives.contains("likelihood") { flags += ["--objective", objectives.first ?? ""] }
      if ["hyper-units", "time-features", "logit-alpha", "adjoint-bytes"].contains(name), let onlyWith {
        flags += ["--\(onlyWith.name)", onlyWith.value]
      }
      if models.first == "classifier" || models.first == "regression" {
        flags += name == "targets" ? [] : ["--steps", "5"]
      }
      return flags
    }

    func flag(_ value: String) -> [String] {
      if isSwitch { return [value == "true" ? "--\(name)" : "--no-\(name)"] }
      return ["--\(name)", value.first == "[" ? String(value.filter { !"[] ".contains($0) }) : value]
    }
  }

  private func run(_ arguments: [String]) throws -> Program.Outcome {
    try Program.start(["settings"] + arguments, in: folder).outcome()
  }

  private func all() throws -> [Setting] {
    let outcome = try run(["--data", "pinwheel", "--json"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    return try outcome.json.elements?.map(Setting.init) ?? []
  }

  @Test func everySettingIsExplained() throws {
    let settings = try all()
    #expect(settings.count > 70 && Set(settings.map(\.name)).count == settings.count)
    let help = try Program.run("train", "--help", in: folder).output
    for setting in settings where setting.isFlag {
      #expect(setting.help.contains("(default: ") && setting.help.count > 30, "\(setting.name)")
      #expect(help.contains("\n  --\(setting.name)") || help.contains(" --\(setting.name)/"), "\(setting.name)")
      #expect(help.contains(setting.section.uppercased() + ":"), "\(setting.section)")
      #expect(!setting.models.isEmpty && !setting.objectives.isEmpty, "\(setting.name)")
    }
  }

  /// A value given by a flag, or by a file, is the one that is resolved, and the resolved file resolves to itself.
  @Test func flagsAndFilesAgree() throws {
    for setting in try all() where setting.isFlag && !["data", "model", "objective"].contains(setting.name) {
      // Values that need something else of the run.
      let extra = ["solver": ["--solver", "bosh3"], "evaluation-solver": ["--evaluation-solver", "bosh3"]]
      let value = extra[setting.name]?[1] ?? (setting.name == "condition" ? "none" : setting.other)
      let more =
        setting.name == "adjoint-bytes"
        ? ["--adjoint", "binomial"]
        : setting.name == "base" ? [] : setting.name == "transform" ? [] : []
      let base = ["--data", setting.name == "adjoint-bytes" ? "pinwheel" : "pinwheel"] + setting.context + more
      let flagged = try run(base + setting.flag(value))
      let name = Comment(rawValue: "\(base + setting.flag(value)): \(flagged.errors)")
      #expect(flagged.code == 0, name)
      let line = flagged.output.split(separator: "\n").first { $0.hasPrefix("\(setting.name): ") }
      let found = line?.dropFirst(setting.name.count + 2)
      #expect(found.map(String.init) == value || found.flatMap { Double($0) } == Double(value), name)
      try folder.write(flagged.output, to: "all.yaml")
      let again = try run(["--config", "all.yaml"])
      #expect(again.code == 0 && again.output == flagged.output, "\(setting.name): \(again.errors)")
      try folder.write("\(setting.name): \(value)\n", to: "one.yaml")
      let filed = try run(base + ["--config", "one.yaml"])
      #expect(filed.code == 0 && filed.output == flagged.output, "\(setting.name): \(filed.errors)")
    }
  }

  /// Defaults are in range for every model, and what a model or objective does not use is refused with the flag to
  /// leave out.
  @Test func rowsAreWhatIsRefused() throws {
    let settings = try all()
    let models = Set(settings.flatMap(\.models)).sorted()
    for model in models {
      let targets = model == "regression" ? ["--targets", "1"] : []
      for data in ["pinwheel", "digits"] {
        let outcome = try run(["--data", data, "--model", model] + targets)
        #expect(outcome.code == 0, "\(model) on \(data): \(outcome.errors)")
      }
      for setting in settings where setting.isFlag && !setting.models.contains(model) {
        // The traces of a Hamiltonian flow depend on another setting, whose default is none.
        let outcome = try run(
          ["--data", "pinwheel", "--model", model] + targets
            + setting.flag(setting.standard == "[]" ? "none" : setting.other))
        let name = Comment(rawValue: "\(setting.name) of \(model): \(outcome.code), \(outcome.errors)")
        #expect(outcome.code == 64 && outcome.errors.contains("which model \(model) does not use"), name)
        #expect(outcome.errors.contains("leave --\(setting.name) out"), name)
      }
    }
    for setting in settings where setting.isFlag && !setting.objectives.contains("likelihood") {
      let outcome = try run(["--data", "pinwheel"] + setting.flag(setting.other))
      #expect(outcome.code == 64 && outcome.errors.contains("objective likelihood does not use"), "\(outcome.errors)")
      #expect(outcome.errors.contains("give --objective \(setting.objectives[0])"), "\(outcome.errors)")
    }
  }
}
