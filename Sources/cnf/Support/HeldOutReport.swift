import ContinuousFlows
import FlowIO

/// The final figures of a flow on data that it was not trained on, beside a Gaussian's.
struct HeldOutReport {
  /// Mean negative log-density of the Gaussian, nats and bits/dim.
  struct Baseline {
    let nll: Double
    let bitsPerDimension: Double
  }

  let result: EvaluationResult
  let baseline: Baseline?

  /// - Parameter fitted: the samples that `dataset` was held out from, to fit the Gaussian to; nil for no comparison.
  init(of flow: ContinuousFlow, on dataset: Dataset, against fitted: Dataset?, settings: Settings) throws {
    result = try flow.evaluate(
      on: dataset, options: settings.evaluationSolverOptions, backend: settings.backendChoice, seed: settings.seed)
    baseline = fitted.map { fitted in
      let gaussian = GaussianBaseline(fitting: fitted.continuousPoints(seed: settings.seed))
      let nll = -gaussian.meanLogDensity(of: dataset.continuousPoints(seed: settings.seed))
      return Baseline(
        nll: nll,
        bitsPerDimension: bitsPerDimension(nll: nll, dimension: dataset.dimension, quantisation: dataset.quantisation))
    }
  }

  /// The names that programs rely on.
  var members: [(key: String, value: JSONValue)] {
    var members: [(key: String, value: JSONValue)] = [
      ("count", .integer(result.count)), ("nll_nats", .number(result.nllNats)),
      ("nll_stderr", .number(result.nllStandardError)), ("bits_per_dim", .number(result.bitsPerDimension)),
      ("evaluations_mean", .number(result.evaluationsMean)), ("evaluations_max", .integer(result.evaluationsMaximum)),
      ("failed", .integer(result.failed)),
    ]
    if let baseline {
      members.append(("gaussian_nll_nats", .number(baseline.nll)))
      members.append(("gaussian_bits_per_dim", .number(baseline.bitsPerDimension)))
    }
    return members
  }

  var json: JSONValue { .object(members) }

  /// For people: log-likelihoods, so that more is better.
  func print() throws {
    // One sample has no spread.
    let error = result.nllStandardError.isFinite ? Format.decimal(result.nllStandardError, digits: 3) : "unknown"
    try Terminal.result("log-likelihood of \(result.count) \(baseline == nil ? "" : "held-out ")samples")
    try Terminal.result(Self.line("flow", -result.nllNats, result.bitsPerDimension) + "   (standard error \(error))")
    if let baseline {
      try Terminal.result(Self.line("full-covariance Gaussian", -baseline.nll, baseline.bitsPerDimension))
    }
    try Terminal.result(
      "evaluations of the field per sample: \(Format.decimal(result.evaluationsMean, digits: 1)) on average, "
        + "\(result.evaluationsMaximum) at most")
    if result.failed > 0 { try Terminal.result("samples whose solve failed, left out: \(result.failed)") }
  }

  private static func line(_ name: String, _ logLikelihood: Double, _ bits: Double) -> String {
    let nats = Format.aligned(Format.decimal(logLikelihood, digits: 3), to: 10)
    return
      "  \(Format.padded(name, to: 24)) \(nats) nats \(Format.aligned(Format.decimal(bits, digits: 3), to: 8)) bits/dim"
  }
}
