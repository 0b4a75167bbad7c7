import ContinuousFlows
import FlowIO
import Foundation

/// Of models with outputs.
extension HeldOutReport {
  /// - Parameter fitted: the samples that `dataset` was held out from. They give the guess to compare with: the
  ///   classes' shares for a classifier, the targets' mean for a regression.
  init(of result: EvaluationResult, model: NeuralODEModel, on dataset: Dataset, against fitted: Dataset?) {
    var members: [(key: String, value: JSONValue)] = [("count", .integer(result.count))]
    var lines: [String] = []
    if model.task == .classification {
      let baseline = fitted.flatMap { ClassShares(of: $0, on: dataset) }
      members += Self.classifierMembers(result, baseline)
      lines = ["\(result.count) \(fitted == nil ? "" : "held-out ")samples of \(model.outputDimension) classes"]
      lines += Self.classifierLines(result, baseline)
    } else {
      let baseline = fitted.flatMap { Self.squaredErrorOfMean(of: $0, on: dataset) }
      let error = result.meanSquaredError ?? .nan
      members += [("mean_squared_error", .number(error)), ("nll_nats", .number(result.nllNats))]
      lines = [
        "\(result.count) \(fitted == nil ? "" : "held-out ")samples",
        "  mean squared error:  \(Format.scientific(error)) (lower is better)",
      ]
      if let baseline {
        members.append(("variance", .number(baseline)))
        members.append(("r_squared", .number(1 - error / baseline)))
        lines.append(
          "  predicting the mean: \(Format.scientific(baseline)); R² \(Format.decimal(1 - error / baseline, digits: 4))"
        )
      }
    }
    members += [
      ("evaluations_mean", .number(result.evaluationsMean)), ("evaluations_max", .integer(result.evaluationsMaximum)),
      ("failed", .integer(result.failed)),
    ]
    lines.append(Self.evaluations(result))
    if result.failed > 0 { lines.append(Self.failures(result)) }
    self.init(members: members, lines: lines)
  }

  private static func classifierMembers(
    _ result: EvaluationResult, _ baseline: ClassShares?
  ) -> [(key: String, value: JSONValue)] {
    var members: [(key: String, value: JSONValue)] = [
      ("accuracy", .number(result.accuracy ?? .nan)), ("nll_nats", .number(result.nllNats)),
      ("nll_stderr", .number(result.nllStandardError)),
    ]
    if let baseline {
      members.append(("guess_accuracy", .number(baseline.accuracy)))
      members.append(("guess_nll_nats", .number(baseline.crossEntropy)))
    }
    return members
  }

  private static func classifierLines(_ result: EvaluationResult, _ baseline: ClassShares?) -> [String] {
    func line(_ name: String, _ accuracy: Double, _ nats: Double) -> String {
      "  \(Format.padded(name, to: 20)) accuracy \(Format.aligned(percent(accuracy), to: 8))   NLL "
        + "\(Format.decimal(nats, digits: 4)) nats"
    }
    let error =
      result.nllStandardError.isFinite
      ? "   (standard error \(Format.decimal(result.nllStandardError, digits: 4)))" : ""
    let own = line("model", result.accuracy ?? .nan, result.nllNats) + error
    guard let baseline else { return [own] }
    return [own, line("most frequent class", baseline.accuracy, baseline.crossEntropy)]
  }

  private static func percent(_ fraction: Double) -> String { Format.decimal(100 * fraction, digits: 2) + " %" }

  /// Mean over samples and columns of (mean of the fitted targets − target)².
  private static func squaredErrorOfMean(of fitted: Dataset, on dataset: Dataset) -> Double? {
    guard let known = fitted.targets, let targets = dataset.targets else { return nil }
    let columns = known.dimension
    var means = [Double](repeating: 0, count: columns)
    for (index, value) in known.values.enumerated() { means[index % columns] += value / Double(known.count) }
    let squares = targets.values.enumerated().map { index, value in
      (value - means[index % columns]) * (value - means[index % columns])
    }
    return squares.reduce(0, +) / Double(squares.count)
  }
}

/// Guesses by the frequency of classes: what a classifier is compared with.
private struct ClassShares {
  /// Accuracy of always naming the most frequent class.
  let accuracy: Double
  /// NLL of the classes' shares as probabilities, nats per sample; infinite for a class that no fitted sample has.
  let crossEntropy: Double

  init?(of fitted: Dataset, on dataset: Dataset) {
    guard let known = fitted.labels, let labels = dataset.labels, !known.isEmpty, !labels.isEmpty else { return nil }
    var counts = [Int](repeating: 0, count: 256)
    for label in known { counts[Int(label)] += 1 }
    let most = counts.indices.max { counts[$0] < counts[$1] } ?? 0
    accuracy = Double(labels.count { Int($0) == most }) / Double(labels.count)
    let logs = labels.map { log(Double(counts[Int($0)]) / Double(known.count)) }
    crossEntropy = -logs.reduce(0, +) / Double(labels.count)
  }
}
