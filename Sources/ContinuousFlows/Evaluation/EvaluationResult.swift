/// How well a model explains samples. Means are over the samples whose solve succeeded; `failed` counts the others.
public struct EvaluationResult: Sendable, Equatable, Codable {
  public let count: Int
  /// NLL: the mean negative log-likelihood in nats per sample, in the space of the data; lower is better. NaN if no
  /// sample is ok.
  public let nllNats: Double
  /// Standard error of that mean.
  public let nllStandardError: Double
  /// The NLL in bits per dimension, by `bitsPerDimension(nll:dimension:quantisation:)`.
  public let bitsPerDimension: Double
  public let evaluationsMean: Double
  public let evaluationsMaximum: Int
  public let failed: Int
  /// For a classifier, whose `nllNats` is the cross-entropy: the fraction of samples whose class has the largest
  /// probability.
  public var accuracy: Double?
  /// For a regression: the mean of (output − target)² over samples and outputs, in the targets' units squared.
  public var meanSquaredError: Double?
}
