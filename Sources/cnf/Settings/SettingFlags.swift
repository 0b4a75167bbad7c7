import ArgumentParser
import ContinuousFlows

/// A flag of a setting.
struct SettingFlag: Sendable {
  /// The setting, or step length, that it gives.
  let key: String
  /// The flag without its dashes.
  let name: String
  let help: String
  let placeholder: String
  var isSwitch = false
  var mayBeginWithDash = false

  /// The flag of a setting, and that of its step length where it has one.
  ///
  /// - Parameters:
  ///   - name: the flag's name for a key.
  ///   - standard: the default to state in help; nil: that of the declaration.
  static func flags(
    of setting: any SettingDeclaration, name: (String) -> String = { $0 }, default standard: String? = nil
  ) -> [SettingFlag] {
    guard let help = setting.fullHelp(default: standard) else { return [] }
    let own = SettingFlag(
      key: setting.key, name: name(setting.key), help: help, placeholder: setting.placeholder,
      isSwitch: setting.isSwitch, mayBeginWithDash: setting.mayBeginWithDash)
    let length = setting.stepLength.map {
      SettingFlag(key: $0.key, name: name($0.key), help: $0.help, placeholder: "time", mayBeginWithDash: true)
    }
    return [own] + (length.map { [$0] } ?? [])
  }
}

/// A source of flags: a section of settings, or those that a command gives other names.
protocol SettingFlagSource: Sendable {
  static var flags: [SettingFlag] { get }
}

/// The flags of a source, which the parser finds by the mirror: they are declared nowhere but in the registry.
struct SettingFlags<Source: SettingFlagSource>: ParsableArguments, CustomReflectable {
  /// A key of the parser's decoder: any name is one.
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// The texts given, by flag; checked when `layer` reads them, so that messages are the program's own.
  private var texts: [(flag: SettingFlag, text: String)] = []

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for flag in Source.flags {
      let key = Key(stringValue: flag.name)
      let text =
        flag.isSwitch
        ? try container.decode(Flag<Bool?>.self, forKey: key).wrappedValue?.text
        : try container.decode(Option<String?>.self, forKey: key).wrappedValue
      if let text { texts.append((flag, text)) }
    }
  }

  /// One property wrapper a flag, as the parser reads them from any struct.
  var customMirror: Mirror {
    Mirror(
      self,
      children: Source.flags.map { flag -> (String, Any) in
        let help = ArgumentHelp(stringLiteral: flag.help)
        guard !flag.isSwitch else {
          return (flag.name, Flag<Bool?>(name: .customLong(flag.name), inversion: .prefixedNo, help: help))
        }
        return (
          flag.name,
          Option<String?>(
            name: .customLong(flag.name), parsing: flag.mayBeginWithDash ? .unconditional : .next,
            help: ArgumentHelp(flag.help, valueName: flag.placeholder))
        )
      })
  }

  /// What was given.
  var layer: SettingsLayer {
    get throws {
      var layer = SettingsLayer()
      for (flag, text) in texts {
        try layer.set(flag.key, text: text, name: flag.name == flag.key ? nil : flag.name, origin: "--")
      }
      return layer
    }
  }
}
