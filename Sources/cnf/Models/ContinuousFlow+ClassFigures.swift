import ContinuousFlows
import FlowIO

extension ContinuousFlow {
  /// Of a flow conditioned on classes, on samples with labels: p(x) without the class, and how often Bayes' rule finds it.
  func furtherFigures(on dataset: Dataset, settings: Settings) throws -> HeldOutReport? {
    guard let classes = condition?.classCount, let labels = dataset.labels else { return nil }
    let densities = try classDensities(
      of: dataset.continuousPoints(seed: settings.seed), options: settings.evaluationSolverOptions,
      backend: settings.backendChoice, seed: settings.seed, identifiers: dataset.identifiers)
    let marginals = densities.logMarginals.filter { !$0.isNaN }
    let nll = -marginals.reduce(0, +) / Double(marginals.count)
    let bits = bitsPerDimension(nll: nll, dimension: dimension, quantisation: dataset.quantisation)
    let accuracy = densities.accuracy(labels: labels)
    return HeldOutReport(
      members: [
        ("classes", .integer(classes)), ("marginal_nll_nats", .number(nll)), ("marginal_bits_per_dim", .number(bits)),
        ("bayes_accuracy", .number(accuracy)), ("class_solves_failed", .integer(densities.failed)),
      ],
      lines: [
        "the flow's figure above is log p(x|c) of each sample's own class; over all \(classes) classes, by Bayes' rule:",
        HeldOutReport.line("flow, log p(x)", -nll, bits),
        "classes found by the largest p(x|c) p(c): \(Format.decimal(100 * accuracy, digits: 1)) % "
          + "(\(Int((accuracy * Double(dataset.count)).rounded())) of \(dataset.count))",
      ])
  }
}
