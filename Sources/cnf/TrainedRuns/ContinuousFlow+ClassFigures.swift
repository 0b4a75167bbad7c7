import ContinuousFlows
import FlowIO

extension ContinuousFlow {
  /// Figures of a flow conditioned on classes: the NLL of samples without their class, and how often Bayes' rule finds
  /// the class; nil: the flow has no classes, or the samples have no labels.
  func classFigures(on dataset: Dataset, settings: Settings) throws -> HeldOutReport? {
    guard let classes = contextKind?.classCount, let labels = dataset.labels else { return nil }
    let densities = try classDensities(
      of: dataset.continuousSamples(seed: settings.seed), options: settings.evaluationSolverOptions,
      backend: settings.backend, seed: settings.seed, identifiers: dataset.identifiers)
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
        "the NLL above is of p(x|c), c the sample's own class; with p(x), the mean over all \(classes) classes:",
        HeldOutReport.line("flow, p(x)", nll: nll, bits),
        "classes predicted by the largest p(x|c) p(c): \(Format.decimal(100 * accuracy, digits: 1)) % "
          + "(\(Int((accuracy * Double(dataset.count)).rounded())) of \(dataset.count))",
      ])
  }
}
