import ContinuousFlows
import Yams

extension Settings {
  /// Throws a usage failure for the first of `keys` that is another than its default, for a model that has no use for it: whoever
  /// sets it expects something of it.
  func refuse(_ keys: [Key]) throws {
    let standard = Settings.defaults(for: try DatasetSource(data), model: modelKind)
    guard let own = try nodes, let standards = try standard.nodes else { return }
    for key in keys {
      let name = Node(key.rawValue)
      guard let value = own[name], value != standards[name] else { continue }
      let number = value.int == nil ? value.float.map(\.description) : nil
      let words = number ?? value.scalar?.string ?? value.sequence.map { "\($0.compactMap(\.scalar?.string))" } ?? ""
      throw CommandFailure(
        .usage,
        "\(key.rawValue) is \(words), which \(model), this run's model, has no use for: leave --\(key.rawValue) out")
    }
  }

  /// Of continuous flows: what a model has no use for that solves nothing.
  static let solveKeys: [Key] = [
    .layer, .residual, .layerNorm, .dropout, .timeFeatures, .hyperUnits, .endTime, .objective, .path, .coupling,
    .solver, .rtol,
    .atol,
    .fixedSteps, .solverMaxSteps, .controller, .norm, .trace, .probe, .probes, .precision, .adjoint, .adjointBytes,
    .evaluationSolver, .evaluationRtol, .evaluationAtol, .evaluationFixedSteps, .evaluationTrace, .kinetic, .frobenius,
    .steer, .condition, .conditionColumns,
  ]

  private var nodes: Node.Mapping? {
    get throws { try compose(yaml: YAMLEncoder().encode(self))?.mapping }
  }
}
