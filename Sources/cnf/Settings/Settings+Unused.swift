import ContinuousFlows
import Yams

extension Settings {
  /// Throws a usage failure that names the settings nothing has a use for: whoever gives one expects something of it.
  ///
  /// - Parameter flags: those of the call, which count whatever they say; what a config file says counts where it is no
  ///   default, since a run's config.yaml says everything.
  func refuseUnused(flags: SettingsLayer) throws {
    let standard = Settings.defaults(for: try DatasetSource(data), model: modelKind)
    guard let own = try nodes, let standards = try standard.nodes else { return }
    for (who, keys) in unused {
      // A model is trained by what it is trained by, also where that is said.
      try Self.refuse(keys.filter { $0 != .objective }.compactMap(flags.words), by: who)
      let others = keys.filter { own[Node($0.rawValue)] != standards[Node($0.rawValue)] }
      try Self.refuse(
        others.map { ($0.rawValue, own[Node($0.rawValue)].map(SettingsLayer.text) ?? "") }, by: who)
    }
  }

  /// Throws a usage failure for flags of solvers in a call that looks at a model which has no use for them.
  ///
  /// - Parameter flags: those of a command beside train; these settings are the run's, without them.
  func refuseSolverFlags(in flags: SettingsLayer) throws {
    // A potential is trained by its exact trace, and may be looked at by an estimate.
    guard modelKind != .potential else { return }
    try Self.refuse(
      SolverFlags.evaluationKeys.filter(isUnused).compactMap { flags.words(of: $0) }, by: "\(model), this run's model,")
  }

  /// Throws where there are any.
  private static func refuse(_ given: [(name: String, value: String)], by who: String) throws {
    guard !given.isEmpty else { return }
    func list(_ words: [String]) -> String {
      words.count == 1 ? words[0] : words.dropLast().joined(separator: ", ") + " and " + words[words.count - 1]
    }
    throw CommandFailure(
      .usage,
      "\(list(given.map { "\($0.name) is \($0.value)" })), which \(who) has no use for: leave "
        + "\(list(given.map { "--\($0.name)" })) out")
  }

  /// A message about the solver of evaluation in the words of a command that has that solver alone, whose flags are called
  /// --rtol and the like.
  static func inOneSolversWords(_ message: String) -> String { message.replacing("evaluation-", with: "") }

  private var nodes: Node.Mapping? {
    get throws { try compose(yaml: YAMLEncoder().encode(self))?.mapping }
  }
}
