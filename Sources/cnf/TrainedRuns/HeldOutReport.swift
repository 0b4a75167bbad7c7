import ContinuousFlows
import FlowIO

/// The final figures of a model on data that it was not trained on: for programs and for people.
struct HeldOutReport {
  /// The names that programs rely on.
  let members: [(key: String, value: JSONValue)]
  let lines: [String]
  /// The Gaussian's figures that they include, for the plots; nil: none.
  var baseline: GaussianFigures?

  var json: JSONValue { .object(members) }

  /// Both, one after the other.
  func followed(by other: HeldOutReport?) -> HeldOutReport {
    HeldOutReport(
      members: members + (other?.members ?? []), lines: lines + (other?.lines ?? []), baseline: baseline)
  }

  func print() throws {
    for line in lines { try Terminal.result(line) }
  }
}

/// The NLL of a Gaussian with full covariance, which densities are compared with.
struct GaussianFigures {
  /// Nats per sample.
  let nll: Double
  let bitsPerDimension: Double

  /// - Parameter fitted: the samples that `dataset` was held out from, which the Gaussian is fitted to.
  init(on dataset: Dataset, against fitted: Dataset, seed: UInt64) {
    let gaussian = GaussianBaseline(fitting: fitted.continuousSamples(seed: seed))
    nll = -gaussian.meanLogDensity(of: dataset.continuousSamples(seed: seed))
    bitsPerDimension = ContinuousFlows.bitsPerDimension(
      nll: nll, dimension: dataset.dimension, quantisation: dataset.quantisation)
  }
}

/// Of models that are densities.
extension HeldOutReport {
  /// - Parameters:
  ///   - noun: what the model is called.
  ///   - baseline: nil for no comparison.
  init(of result: EvaluationResult, noun: String, baseline: GaussianFigures?) {
    var members: [(key: String, value: JSONValue)] = [
      ("count", .integer(result.count)), ("nll_nats", .number(result.nllNats)),
      ("nll_stderr", .number(result.nllStandardError)), ("bits_per_dim", .number(result.bitsPerDimension)),
      ("evaluations_mean", .number(result.evaluationsMean)), ("evaluations_max", .integer(result.evaluationsMaximum)),
      ("failed", .integer(result.failed)),
    ]
    // One sample has no spread.
    let error = result.nllStandardError.isFinite ? Format.decimal(result.nllStandardError, digits: 3) : "unknown"
    var lines = [
      "NLL of \(result.count) \(baseline == nil ? "" : "held-out ")samples (nats per sample, lower is better)",
      Self.line(noun, nll: result.nllNats, result.bitsPerDimension) + "   (standard error \(error))",
    ]
    if let baseline {
      members.append(("gaussian_nll_nats", .number(baseline.nll)))
      members.append(("gaussian_bits_per_dim", .number(baseline.bitsPerDimension)))
      lines.append(Self.line("full-covariance Gaussian", nll: baseline.nll, baseline.bitsPerDimension))
    }
    if result.evaluationsMaximum > 0 { lines.append(Self.evaluations(result)) }
    if result.failed > 0 { lines.append(Self.failures(result)) }
    self.init(members: members, lines: lines, baseline: baseline)
  }

  static func line(_ name: String, nll: Double, _ bits: Double) -> String {
    let nats = Format.aligned(Format.decimal(nll, digits: 3), to: 10)
    return
      "  \(Format.padded(name, to: 24)) \(nats) nats \(Format.aligned(Format.decimal(bits, digits: 3), to: 8)) bits/dim"
  }

  static func evaluations(_ result: EvaluationResult) -> String {
    "field evaluations per sample: mean \(Format.decimal(result.evaluationsMean, digits: 1)), maximum "
      + "\(result.evaluationsMaximum)"
  }

  static func failures(_ result: EvaluationResult) -> String {
    "samples without a figure because their solve failed: \(result.failed)"
  }
}
