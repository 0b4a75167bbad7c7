/// How well a model explains samples. Figures are over the samples whose solve ended well; `failed` says how many did not.
public struct EvaluationResult: Sendable, Equatable, Codable {
  public let count: Int
  /// Mean negative log-density in the space of the data, in nats; NaN where no sample is ok.
  public let nllNats: Double
  /// Standard error of that mean.
  public let nllStandardError: Double
  /// By `bitsPerDimension(nll:dimension:quantisation:)`.
  public let bitsPerDimension: Double
  public let evaluationsMean: Double
  public let evaluationsMaximum: Int
  public let failed: Int
  /// Of a classifier, whose `nllNats` is the cross-entropy: the part of the samples whose class has the largest probability.
  public var accuracy: Double?
  /// Of a regression: mean over samples and outputs of (output − target)², in the targets' units squared.
  public var meanSquaredError: Double?
}
