import ContinuousFlows

/// One section of settings: its stored properties are `Setting`s, in the order of the file and of help.
protocol SettingsSection: SettingFlagSource {
  init()
  /// The heading in help.
  static var title: String { get }
  /// Rules about combinations of settings.
  static var refusals: [Refusal] { get }
}

extension SettingsSection {
  static var refusals: [Refusal] { [] }

  /// The declarations. A new stored property is all that a new flag needs; the code that reads its value comes besides.
  var declarations: [any SettingDeclaration] {
    Mirror(reflecting: self).children.compactMap { $0.value as? any SettingDeclaration }
  }

  static var flags: [SettingFlag] { Self().declarations.flatMap { SettingFlag.flags(of: $0) } }
}

/// All settings. `settings.learningRate` and `\.learningRate` find a declaration in whichever section has it.
@dynamicMemberLookup
struct SettingsRegistry: Sendable {
  private static let data = DataSettings()
  private static let model = ModelSettings()
  private static let outputs = OutputModelSettings()
  private static let objective = ObjectiveSettings()
  private static let solver = SolverSettings()
  private static let evaluation = EvaluationSettings()
  private static let optimiser = OptimiserSettings()
  private static let run = RunSettings()
  private static let machine = MachineSettings()

  static let shared = SettingsRegistry()

  /// The sections, in the order of the file.
  static let sections: [any SettingsSection] = [
    data, model, outputs, objective, solver, evaluation, optimiser, run, machine,
  ]

  /// Every setting, in the order of the file.
  static let all: [any SettingDeclaration] = sections.flatMap(\.declarations)

  static let byKey: [String: any SettingDeclaration] = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

  /// Rules about combinations of settings, for every model.
  static let refusals: [Refusal] = sections.flatMap { type(of: $0).refusals }

  subscript<Value>(dynamicMember path: KeyPath<DataSettings, Setting<Value>>) -> Setting<Value> {
    Self.data[keyPath: path]
  }
  subscript<Value>(dynamicMember path: KeyPath<ModelSettings, Setting<Value>>) -> Setting<Value> {
    Self.model[keyPath: path]
  }
  subscript<Value>(dynamicMember path: KeyPath<OutputModelSettings, Setting<Value>>) -> Setting<Value> {
    Self.outputs[keyPath: path]
  }
  subscript<Value>(dynamicMember path: KeyPath<ObjectiveSettings, Setting<Value>>) -> Setting<Value> {
    Self.objective[keyPath: path]
  }
  subscript<Value>(dynamicMember path: KeyPath<SolverSettings, Setting<Value>>) -> Setting<Value> {
    Self.solver[keyPath: path]
  }
  subscript<Value>(dynamicMember path: KeyPath<EvaluationSettings, Setting<Value>>) -> Setting<Value> {
    Self.evaluation[keyPath: path]
  }
  subscript<Value>(dynamicMember path: KeyPath<OptimiserSettings, Setting<Value>>) -> Setting<Value> {
    Self.optimiser[keyPath: path]
  }
  subscript<Value>(dynamicMember path: KeyPath<RunSettings, Setting<Value>>) -> Setting<Value> {
    Self.run[keyPath: path]
  }
  subscript<Value>(dynamicMember path: KeyPath<MachineSettings, Setting<Value>>) -> Setting<Value> {
    Self.machine[keyPath: path]
  }
}
