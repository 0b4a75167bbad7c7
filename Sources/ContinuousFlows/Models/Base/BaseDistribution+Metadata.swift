import FlowIO

extension BaseDistribution {
  /// The base in a file's metadata: its kind, and its numbers in the shortest decimal form that reads back to the same
  /// bits.
  var metadata: [String: String] {
    var metadata = ["base": kind]
    switch self {
    case .standardNormal: break
    case .gaussian(let mean, let deviation):
      metadata["base.mean"] = mean.metadataText
      metadata["base.deviation"] = deviation.metadataText
    case .fullGaussian(let mean, let factor):
      metadata["base.mean"] = mean.metadataText
      metadata["base.factor"] = factor.metadataText
    case .uniform(let low, let high):
      metadata["base.low"] = low.metadataText
      metadata["base.high"] = high.metadataText
    case .mixture(let weights, let means, let deviations):
      metadata["base.weights"] = weights.metadataText
      metadata["base.means"] = means.values.metadataText
      metadata["base.deviations"] = deviations.values.metadataText
    }
    return metadata
  }

  /// The base that `file` describes; the standard normal if it names none.
  init(in file: SafetensorsFile, dimension: Int) throws(FlowFileError) {
    guard let kind = file.metadata["base"] else {
      self = .standardNormal
      return
    }
    func columns(_ key: String, _ count: Int) throws(FlowFileError) -> [Float] {
      try file.numbers("base." + key, count: count)
    }
    switch kind {
    case "gaussian":
      self = .gaussian(mean: try columns("mean", dimension), deviation: try columns("deviation", dimension))
    case "full-gaussian":
      let (size, overflow) = dimension.multipliedReportingOverflow(by: dimension)
      guard !overflow else { throw Self.refused(file, "the dimension is out of range") }
      self = .fullGaussian(mean: try columns("mean", dimension), factor: try columns("factor", size))
    case "uniform": self = .uniform(low: try columns("low", dimension), high: try columns("high", dimension))
    case "mixture":
      let count = try file.text("base.weights").split(separator: ",").count
      let (size, overflow) = dimension.multipliedReportingOverflow(by: count)
      guard !overflow, count > 0 else { throw Self.refused(file, "a mixture of \(count) components") }
      self = .mixture(
        weights: try file.numbers("base.weights", count: count, Double.self),
        means: StateMatrix(count: count, dimension: dimension, values: try columns("means", size)),
        deviations: StateMatrix(count: count, dimension: dimension, values: try columns("deviations", size)))
    default: throw Self.refused(file, "'\(kind)' is no base that is known here")
    }
    if let problem = problem(dimension: dimension) { throw Self.refused(file, problem) }
  }

  private static func refused(_ file: SafetensorsFile, _ problem: String) -> FlowFileError {
    .metadata(path: file.source, key: "base", problem: problem)
  }
}
