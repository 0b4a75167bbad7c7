import ContinuousFlows

/// What a step of training minimises.
struct ObjectiveSettings: SettingsSection {
  static let title = "Objective"

  let objective = Setting<Objective>(
    "objective", default: .likelihood,
    help: """
      What training minimises. likelihood: the NLL, by solving the equation. flow-matching: the distance between the field and \
      the rates of change along paths from base to data; one field evaluation per sample and step, so much faster. \
      score-matching: the noise prediction error of a diffusion model, as cheap; implies --model diffusion.
      """)

  let path = Setting<ProbabilityPath>(
    "path", default: .linear(), use: .objectives(.paths), help: "Path from a base sample to a data sample.")

  let coupling = Setting<FlowMatching.Coupling>(
    "coupling", default: .independent, use: .objectives(.paths),
    help: """
      How base samples are paired with data samples: independent (at random), or optimal-transport (least total squared \
      distance within each batch; straighter paths). With --condition labels, optimal-transport pairs only samples of one \
      class. With --condition-columns, the distance of contexts counts too, see --context-share.
      """)

  let contextShare = Setting<Double>(
    "context-share", default: FlowMatching.contextShare,
    SettingRange("above 0 and at most 1, such as 0.05", zero: "pairs of equal contexts only") { (0...1).contains($0) },
    use: .objectives(.paths).and(.when("coupling", is: [FlowMatching.Coupling.optimalTransport])),
    placeholder: "fraction",
    help: """
      With --condition-columns: share of all pairs of a batch that optimal-transport chooses from. A larger share makes \
      straighter paths, but lets the base depend on the context, which sampling does not know.
      """)

  let process = Setting<DiffusionProcess>(
    "process", default: .variancePreserving(), use: .objectives(.process),
    help: "Diffusion process: vp (variance preserving), ve (variance exploding) or sub-vp.")

  let weighting = Setting<ScoreMatching.Weighting>(
    "weighting", default: .noise, use: .objectives(.process),
    help: """
      Weights of the times in the loss: noise (every time counts the same), or likelihood (the loss bounds the NLL).
      """)
}

extension ProbabilityPath: SettingWord {
  static let table: [(word: String, value: ProbabilityPath)] = [
    ("linear", .linear()), ("trigonometric", .trigonometric), ("variance-preserving", .variancePreserving()),
    ("interpolant", .stochasticInterpolant()),
  ]
}

extension FlowMatching.Coupling: SettingWord {
  static let table: [(word: String, value: FlowMatching.Coupling)] = [
    ("independent", .independent), ("optimal-transport", .optimalTransport),
  ]
}

extension DiffusionProcess: SettingWord {
  static let table: [(word: String, value: DiffusionProcess)] = all.map { ($0.kind, $0) }
}

extension ScoreMatching.Weighting: SettingWord {}
