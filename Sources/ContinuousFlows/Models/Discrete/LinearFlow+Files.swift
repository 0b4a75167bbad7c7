public import FlowIO

/// A file holds the whole flow: `weight` `[D, D]` and `bias` `[D]`, named as in PyTorch's `nn.Linear`.
extension LinearFlow {
  static let modelName = "linear"

  public var parameterNames: ParameterNames { Self.names(dimension: dimension) }

  private static func names(dimension: Int) -> ParameterNames {
    ParameterNames([(name: "weight", shape: [dimension, dimension]), (name: "bias", shape: [dimension])])
  }

  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    ModelMetadata.text(model: Self.modelName, kind: kind, dimension: dimension, transform: transform, base: base)
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    let dimension = try ModelMetadata.dimension(in: file, model: Self.modelName, kind: kind)
    self.init(
      dimension: dimension, parameters: try Self.names(dimension: dimension).parameters(in: file),
      transform: try DataTransform(in: file, dimension: dimension),
      base: try BaseDistribution(in: file, dimension: dimension))
  }
}
