import FlowIO
import Foundation
import Testing

/// Walks every setting that `cnf settings` lists: flags, YAML, help and refusals do what the declaration says.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SettingsTests {
  private let folder = try! TemporaryFolder()

  /// A setting as `cnf settings --json` describes it.
  private struct Setting {
    let name, help, section, standard: String
    let words, models, objectives: [String]
    let isFlag, isSwitch: Bool
    let onlyWith: (name: String, values: [String])?

    init(_ json: JSONValue) {
      func texts(_ json: JSONValue?) -> [String] { json?.elements?.compactMap(\.text) ?? [] }
      (name, help) = (json["name"]?.text ?? "", json["help"]?.text ?? "")
      (section, standard) = (json["section"]?.text ?? "", json["default"]?.text ?? "")
      (words, models, objectives) = (texts(json["words"]), texts(json["models"]), texts(json["objectives"]))
      (isFlag, isSwitch) = (json["is_flag"] == true, json["is_switch"] == true)
      onlyWith = json["only_with"].flatMap { other in other["name"]?.text.map { ($0, texts(other["values"])) } }
    }

    /// A value that is not the default, and that the setting takes.
    var other: String {
      switch name {
      // Other methods need equal steps, and other transforms other data.
      case "solver", "evaluation-solver": return "bosh3"
      case "transform": return "none"
      case "adjoint": return "every-8"
      case "data": return "moons"
      // A classifier has one column of classes.
      case "targets": return "1"
      case "hidden", "encoder", "head": return "[5, 5]"
      default: break
      }
      if let word = words.first(where: { $0 != standard }) { return word }
      if isSwitch { return "true" }
      return standard.contains(".") || standard.contains("e-") ? "0.25" : "7"
    }

    /// Flags of a run that uses the setting.
    var context: [String] {
      var flags: [String] = []
      if name != "model" {
        if !models.contains("flow") { flags += ["--model", models[0]] }
        if !objectives.contains("likelihood") { flags += ["--objective", objectives[0]] }
      }
      if let onlyWith { flags += ["--\(onlyWith.name)", onlyWith.values[0]] }
      return flags
    }

    func flag(_ value: String) -> [String] {
      if isSwitch { return [value == "true" ? "--\(name)" : "--no-\(name)"] }
      return ["--\(name)", value.first == "[" ? value.filter { !"[] ".contains($0) } : value]
    }
  }

  private func run(_ arguments: [String]) throws -> Program.Outcome {
    try Program.start(["settings"] + arguments, in: folder).outcome()
  }

  private func settings() throws -> [Setting] {
    let outcome = try run(["--data", "pinwheel", "--json"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    return try outcome.json.elements?.map(Setting.init) ?? []
  }

  @Test func everySettingIsExplained() throws {
    let settings = try settings()
    // As many as config.yaml had before there was a registry; none may be lost.
    #expect(settings.count >= 71 && Set(settings.map(\.name)).count == settings.count, "\(settings.count)")
    let help = try Program.run("train", "--help", in: folder).output
    for setting in settings where setting.isFlag {
      #expect(
        setting.help.count > 20 && (setting.name == "data" || setting.help.contains("(default: ")), "\(setting.name)")
      #expect(help.contains("\n  --\(setting.name)"), "\(setting.name)")
      #expect(help.contains("\n\(setting.section.uppercased()):\n"), "\(setting.section)")
      #expect(!setting.models.isEmpty && !setting.objectives.isEmpty, "\(setting.name)")
    }
  }

  /// A value is the same given by a flag and by a file, and the resolved file resolves to itself.
  @Test func flagsAndFilesAgree() throws {
    for setting in try settings() where setting.isFlag && setting.name != "objective" {
      let value = setting.other
      let data = setting.name == "data" ? [] : ["--data", "pinwheel"]
      let base = data + setting.context
      let flagged = try run(base + setting.flag(value))
      let call = Comment(rawValue: "\(base + setting.flag(value)): \(flagged.errors)")
      #expect(flagged.code == 0, call)
      let line = flagged.output.split(separator: "\n").first { $0.hasPrefix("\(setting.name): ") }
      let found = String(line?.dropFirst(setting.name.count + 2) ?? "")
      #expect(found == value || Double(found) != nil && Double(found) == Double(value), call)
      try folder.write(flagged.output, to: "all.yaml")
      let again = try run(["--config", "all.yaml"])
      #expect(again.code == 0 && again.output == flagged.output, "\(setting.name): \(again.errors)")
      try folder.write("\(setting.name): \(value)\n", to: "one.yaml")
      let filed = try run(base + ["--config", "one.yaml"])
      #expect(filed.code == 0 && filed.output == flagged.output, "\(setting.name): \(filed.errors)")
    }
  }

  /// The defaults of every model are in range, and what a model or objective does not use is refused, with the flag to
  /// leave out.
  @Test func everyRowIsRefusedWhereItSaysSo() throws {
    let settings = try settings()
    for model in Set(settings.flatMap(\.models)).sorted() {
      let targets = model == "regression" ? ["--targets", "1"] : []
      for data in ["pinwheel", "digits"] {
        let outcome = try run(["--data", data, "--model", model] + targets)
        #expect(outcome.code == 0, "\(model) on \(data): \(outcome.errors)")
      }
      for setting in settings where setting.isFlag && !setting.models.contains(model) {
        let outcome = try run(["--data", "pinwheel", "--model", model] + targets + setting.flag(setting.other))
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
    for setting in settings {
      guard let onlyWith = setting.onlyWith, setting.models.contains("flow") else { continue }
      let other = try #require(settings.first { $0.name == onlyWith.name })
      let unfit = try #require(other.words.first { !onlyWith.values.contains($0) && $0 != "marginals" })
      let objective = setting.objectives.contains("likelihood") ? [] : ["--objective", setting.objectives[0]]
      let outcome = try run(
        ["--data", "pinwheel", "--\(other.name)", unfit] + objective + setting.flag(setting.other))
      #expect(outcome.code == 64 && outcome.errors.contains("\(other.name) \(unfit) does not use"), "\(outcome.errors)")
      #expect(outcome.errors.contains("or give --\(other.name) \(onlyWith.values[0])"), "\(outcome.errors)")
    }
  }
}
