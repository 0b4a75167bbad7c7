import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf settings`: what a call of `cnf train` would use, and what each setting means.
struct SettingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "Show the settings that cnf train would use, without training.",
    discussion: """
      Type the flags of cnf train, without --out. You get the resolved settings as YAML, a file that --config takes: flags over \
      the config file over defaults of data and model. A call that cnf train would refuse is refused here, too.

      With --json you get the list of all settings for programs: name, section, help, default and value, the words that it may \
      be, and the models and objectives that use it.

      Examples:
        cnf settings --data pinwheel
        cnf settings --data digits --model diffusion > diffusion.yaml
        cnf settings --data pinwheel --json
      """)

  @Option(help: ArgumentHelp("YAML file of settings; flags replace its values.", valueName: "file"))
  var config: String?

  @OptionGroup var settings: AllSettingFlags
  @OptionGroup var output: OutputOptions

  func run() throws {
    let flags = try settings.layer
    let resolved = try settings.resolved(config: config)
    try resolved.refuseUnused(flags: flags)
    try resolved.checkRefusals(.training)
    guard output.json else { return try Terminal.result(String(try resolved.yaml.dropLast())) }
    let usual = Settings(defaultsFor: resolved.data, model: resolved.model)
    try output.print(
      .array(
        SettingsRegistry.sections.flatMap { section in
          section.declarations.map { Self.json($0, section: type(of: section).title, resolved, usual) }
        }))
  }

  private static func json(
    _ setting: any SettingDeclaration, section: String, _ resolved: Settings, _ usual: Settings
  ) -> JSONValue {
    func words(_ words: [String]) -> JSONValue { .array(words.map { .string($0) }) }
    return [
      "name": .string(setting.key), "section": .string(section), "help": .string(setting.fullHelp() ?? ""),
      "is_flag": .boolean(setting.help != nil), "is_switch": .boolean(setting.isSwitch),
      "default": .string(usual[key: setting.key].text), "value": .string(resolved[key: setting.key].text),
      "words": words(setting.words),
      "models": words(
        ModelKind.all.filter { kind in setting.use.model.map(kind.features.contains) ?? true }.map(\.word)),
      "objectives": words(Objective.allCases.filter { $0.uses(setting) }.map(\.rawValue)),
      "only_with": setting.use.companion.map { ["name": .string($0.key), "values": words($0.words)] } ?? .null,
    ]
  }
}
