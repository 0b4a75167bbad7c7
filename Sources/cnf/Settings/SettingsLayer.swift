import ContinuousFlows

/// The settings that one source gives: the flags of a call, or a config file.
struct SettingsLayer {
  /// A setting with the value that this source gives it.
  struct Entry {
    let key: String
    let value: any SettingValue
    /// What messages call it.
    let name: String
    /// How to give it by a flag, such as `--no-residual`.
    let flag: String

    /// - Parameter name: what the call names it by; nil: the key.
    init(key: String, value: any SettingValue, name: String? = nil) {
      self.key = key
      self.value = value
      self.name = name ?? key
      flag = value as? Bool == false ? "--no-\(self.name)" : "--\(self.name)"
    }
  }

  private var entries: [String: Entry] = [:]

  /// Adds `text` as the value of a setting, or of a step length.
  ///
  /// - Parameters:
  ///   - name: what messages call the setting; nil: its key.
  ///   - origin: what a message about the text begins with.
  mutating func set(_ key: String, text: String, name: String? = nil, origin: String) throws {
    let called = name ?? key
    do throws(ValueError) {
      let value: any SettingValue
      if let setting = SettingsRegistry.byKey[key] {
        value = try setting.value(of: text)
      } else {
        value = try Double(text: text)
      }
      entries[key] = Entry(key: key, value: value, name: name)
    } catch {
      throw CommandFailure(.usage, "\(origin)\(called) \(Self.sentence(error, text))")
    }
  }

  /// Adds a value that is parsed already; nil removes it.
  mutating func set<Value>(_ path: KeyPath<SettingsRegistry, Setting<Value>>, to value: Value?) {
    let key = SettingsRegistry.shared[keyPath: path].key
    entries[key] = value.map { Entry(key: key, value: $0) }
  }

  private static func sentence(_ error: ValueError, _ text: String) -> String {
    switch error {
    case .mustBe(let words): "is '\(text)', must be \(words)"
    case .unknown(let fix): "'\(text)' is not known: \(fix)"
    case .sentence(let sentence): sentence
    }
  }

  func has(_ key: String) -> Bool { entries[key] != nil }

  func value<Value>(_ path: KeyPath<SettingsRegistry, Setting<Value>>) -> Value? {
    entries[SettingsRegistry.shared[keyPath: path].key]?.value as? Value
  }

  /// The entry of the setting of `key`, which may be a step length.
  func entry(for key: String) -> Entry? {
    entries[key] ?? SettingsRegistry.byKey[key]?.stepLength.flatMap { entries[$0.key] }
  }

  /// The first entry, in the order of the registry, of a setting whose traits meet `condition`.
  func first(where condition: (Set<SettingTrait>) -> Bool) -> Entry? {
    SettingsRegistry.all.filter { condition($0.traits) }.compactMap { entry(for: $0.key) }.first
  }

  /// This layer, with the values of `other` in place of its own.
  func overlaid(with other: SettingsLayer) -> SettingsLayer {
    var result = self
    // The number and the length of steps are one choice: that of the later layer replaces the other.
    for setting in SettingsRegistry.all {
      guard let length = setting.stepLength, other.entry(for: setting.key) != nil else { continue }
      for key in [setting.key, length.key] { result.entries[key] = nil }
    }
    result.entries.merge(other.entries) { _, new in new }
    return result
  }

  // MARK: Over defaults

  /// The settings of a run: this layer over the defaults of its data and model.
  func resolved() throws -> Settings {
    guard let data = value(\.data), !data.text.isEmpty else {
      throw CommandFailure(
        .usage,
        "there is nothing to train on: name data with --data, such as --data pinwheel (cnf datasets lists names)")
    }
    let model = value(\.model) ?? ModelKind.all.first { $0.isImplied(self) } ?? .flow
    return try resolved(over: Settings(defaultsFor: data, model: model))
  }

  /// This layer over `base`. A setting that excludes another sets that to 0 unless both are given.
  func resolved(over base: Settings) throws -> Settings {
    var settings = base
    for setting in SettingsRegistry.all where has(setting.key) {
      for other in setting.resets where !has(other) {
        guard let zero = try? SettingsRegistry.byKey[other]?.value(of: "0") else {
          preconditionFailure("\(setting.key) resets \(other), which is not a number")
        }
        settings[key: other] = zero
      }
    }
    for setting in SettingsRegistry.all {
      if let entry = entries[setting.key] { settings[key: setting.key] = entry.value }
    }
    for setting in SettingsRegistry.all {
      guard let length = setting.stepLength, let entry = entries[length.key], let value = entry.value as? Double else {
        continue
      }
      guard entries[setting.key] == nil else {
        throw CommandFailure(
          .usage,
          "\(settings.name(of: setting.key)) and \(entry.name) exclude each other: give the number of steps or "
            + "their length")
      }
      guard let steps = StepLength.steps(of: value, endTime: settings.endTime) else {
        let least = settings.endTime / Double(StepLength.mostSteps)
        throw CommandFailure(
          .usage,
          value > 0 && value.isFinite
            ? "\(entry.name) is \(value.text), which makes more than \(StepLength.mostSteps) steps: give at least \(least)"
            : "\(entry.name) is \(value.text), must be a positive number such as 0.125")
      }
      settings[key: setting.key] = steps
    }
    try settings.checkRanges()
    return settings
  }
}

extension SettingsRegistry {
  /// Keys of step lengths, each with that of the number of steps it stands for.
  private static let lengths: [String: String] = Dictionary(
    uniqueKeysWithValues: all.compactMap { setting in setting.stepLength.map { ($0.key, setting.key) } })

  /// What a file may hold.
  static let knownKeys: [String] = all.map(\.key) + lengths.keys.sorted()

  /// The setting that `key`, which may be a step length, gives.
  static func settingKey(of key: String) -> String { lengths[key] ?? key }
}
