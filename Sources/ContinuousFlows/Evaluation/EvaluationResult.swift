/// How well a flow explains samples. Figures are over the samples whose solve ended well; `failed` says how many did not.
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
}
