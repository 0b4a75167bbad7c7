import ContinuousFlows

/// Everything that decides what a run of training does: what `config.yaml` in a run folder holds.
///
/// A value is read and set by its setting's name: `settings.learningRate`. Every setting has a value, so that
/// a resolved file is complete; 0 means "none" where a setting's range says so.
@dynamicMemberLookup
struct Settings: Sendable {
  private var values: [String: any SettingValue]
  /// Whether messages use the names of commands that look at a trained model: their --solver is `evaluation-solver`.
  var isOfTrainedModel = false
  /// The states of solves for densities and samples, which a call gives and no run keeps.
  var stateType = StateType.float32

  /// The defaults for data and model: those of the declarations, then the changes of the model.
  init(defaultsFor source: DatasetSource, model: ModelKind = .flow) {
    values = Dictionary(
      uniqueKeysWithValues: SettingsRegistry.all.map { ($0.key, $0.standard(for: source)) })
    self.data = source
    self.model = model
    self.objective = model.objectives[0]
    model.adaptDefaults(&self, source)
  }

  subscript<Value>(dynamicMember path: KeyPath<SettingsRegistry, Setting<Value>>) -> Value {
    get { self[SettingsRegistry.shared[keyPath: path]] }
    set { values[SettingsRegistry.shared[keyPath: path].key] = newValue }
  }

  subscript<Value>(_ setting: Setting<Value>) -> Value {
    guard let value = values[setting.key] as? Value else { preconditionFailure("\(setting.key) has another type") }
    return value
  }

  /// The value at a key of the registry.
  subscript(key key: String) -> any SettingValue {
    get {
      guard let value = values[key] else { preconditionFailure("there is no setting \(key)") }
      return value
    }
    set { values[key] = newValue }
  }

  /// What messages call a setting.
  func name(of key: String) -> String { isOfTrainedModel ? TrainedSolver.shortName(of: key) : key }

  func name<Value>(_ path: KeyPath<SettingsRegistry, Setting<Value>>) -> String {
    name(of: SettingsRegistry.shared[keyPath: path].key)
  }

  /// The keys whose values differ.
  func differences(from other: Settings) -> [String] {
    SettingsRegistry.all.map(\.key).filter { values[$0]?.text != other.values[$0]?.text }
  }
}
