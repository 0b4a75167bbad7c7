import ContinuousFlows

extension Settings {
  /// Throws a usage failure for the first setting that is out of its range.
  func checkRanges() throws {
    for setting in SettingsRegistry.all {
      guard let allowed = setting.allowed(in: self) else { continue }
      throw CommandFailure(.usage, "\(name(of: setting.key)) is \(self[key: setting.key].text), must be \(allowed)")
    }
  }

  /// Throws a usage failure for combinations that a section refuses, or before training the model.
  func checkRefusals(_ phase: Refusal.Phase) throws {
    let rows = SettingsRegistry.refusals + (phase == .training ? self.model.refusals : [])
    for row in rows where phase == .training || row.phase == .always {
      if let sentence = try row.sentence(self) { throw CommandFailure(.usage, sentence) }
    }
  }

  /// Throws a usage failure that names settings without effect, since a user who gives one expects an effect.
  ///
  /// A flag counts with any value. A value of a file counts only if it is not the default, because a run's config.yaml
  /// holds every setting.
  func refuseUnused(flags: SettingsLayer) throws {
    if let sentence = self.objective.refusal(for: self.model) { throw CommandFailure(.usage, sentence) }
    let changed = Set(differences(from: Settings(defaultsFor: self.data, model: self.model)))
    func entries(_ keys: [String]) -> [SettingsLayer.Entry] {
      let flagged = keys.compactMap(flags.entry(for:))
      return flagged.isEmpty
        ? keys.filter(changed.contains).map { SettingsLayer.Entry(key: $0, value: self[key: $0]) } : flagged
    }
    let keyed = SettingsRegistry.all
    let byModel = keyed.filter { !self.model.uses($0, in: self) }.map(\.key)
    try refuse(entries(byModel), unusedBy: "model \(self.model.word)", because: { self.model.reason(for: $0) })
    let byObjective = keyed.filter { !self.objective.uses($0) }.map(\.key)
    try refuse(entries(byObjective), unusedBy: "objective \(self.objective.rawValue)")
    for setting in keyed where changed.contains(setting.key) {
      guard let companion = setting.use.companion else { continue }
      let value = self[key: companion.key].text
      guard !companion.words.contains(value) else { continue }
      try refuse(entries([setting.key]), unusedBy: "\(companion.key) \(value)")
    }
  }

  /// Throws a usage failure for flags without effect, of a command that looks at a trained model.
  ///
  /// - Parameter flags: those of the call; these settings are the run's, without them.
  func refuseUnusedByTrained(flags: SettingsLayer) throws {
    let unused = TrainedSolver.settings.filter { !self.model.usesWhenTrained($0, in: self) }
    try refuse(unused.compactMap { flags.entry(for: $0.key) }, unusedBy: "model \(self.model.word)")
  }

  /// Throws where any are given.
  private func refuse(
    _ entries: [SettingsLayer.Entry], unusedBy who: String, because reason: (SettingUse) -> String? = { _ in nil }
  ) throws {
    guard !entries.isEmpty else { return }
    let uses = entries.compactMap { SettingsRegistry.byKey[SettingsRegistry.settingKey(of: $0.key)]?.use }
    /// What is the same for all of them.
    func common(_ text: (SettingUse) -> String?) -> String? {
      let texts = Set(uses.map(text))
      return texts.count == 1 ? texts.first.flatMap { $0 } : nil
    }
    let why = common(reason).map { " (\($0))" } ?? ""
    let fix = common { $0.alternatives(in: self) }.map { ", or give \($0)" } ?? ""
    throw CommandFailure(
      .usage,
      "\(Self.list(entries.map { "\($0.name) is \($0.value.text)" })), which \(who) does not use\(why): "
        + "leave \(Self.list(entries.map(\.flag))) out\(fix)")
  }

  /// "a, b and c".
  static func list(_ words: [String], _ last: String = "and") -> String {
    words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " \(last) " + words[words.count - 1]
  }
}

extension SettingUse {
  /// The flags that would give the setting an effect, where they are few enough to name.
  fileprivate func alternatives(in settings: Settings) -> String? {
    if let model, !settings.model.features(in: settings).contains(model) {
      let kinds = ModelKind.all.filter { $0.features.contains(model) }.map(\.word)
      return kinds.isEmpty || kinds.count > 3 ? nil : "--model \(Settings.list(kinds, "or"))"
    }
    if let objective, !settings.objective.features.contains(objective) {
      let words = Objective.allCases.filter { $0.features.contains(objective) }.map(\.rawValue)
      return "--objective \(Settings.list(words, "or"))"
    }
    return companion.map { "--\($0.key) \(Settings.list($0.words, "or"))" }
  }
}
