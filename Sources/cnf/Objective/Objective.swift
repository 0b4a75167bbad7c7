import ContinuousFlows

/// What an objective may have: the reason why a setting has an effect with it.
enum ObjectiveFeature: Sendable {
  /// Training solves the differential equation.
  case solves
  /// Paths from the base to the data.
  case paths
  /// A diffusion process.
  case process
}

/// What a step of training minimises. Which model can be trained by which objective stands in the model's row.
enum Objective: String, CaseIterable, SettingWord {
  case likelihood
  case flowMatching = "flow-matching"
  case scoreMatching = "score-matching"

  var features: Set<ObjectiveFeature> {
    switch self {
    case .likelihood: [.solves]
    case .flowMatching: [.paths]
    case .scoreMatching: [.process]
    }
  }

  /// Whether a base whose density is 0 somewhere can be trained with it.
  var takesBoundedBase: Bool { self == .flowMatching }

  func uses(_ setting: any SettingDeclaration) -> Bool { setting.use.objective.map(features.contains) ?? true }

  /// Why `model` cannot be trained by it, and what to do; nil: it can.
  func refusal(for model: ModelKind) -> String? {
    guard !model.objectives.contains(self) else { return nil }
    let others = ModelKind.all.filter { $0.objectives.contains(self) }.map(\.word)
    return "objective is \(rawValue), but model \(model.word) is trained by "
      + "\(Settings.list(model.objectives.map(\.rawValue), "or")): leave --objective out, or give --model "
      + Settings.list(others, "or")
  }
}
