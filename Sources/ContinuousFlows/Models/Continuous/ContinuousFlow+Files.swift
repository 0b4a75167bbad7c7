public import FlowIO

/// A file holds the flow whole: parameters named as in PyTorch's `nn.Sequential`; the field, T and the transform in the
/// metadata.
extension ContinuousFlow: TrainableModel {
  public var parameterNames: ParameterNames { ParameterNames(of: program) }
  public var contextDimension: Int { program.contextDimension }

  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    try FlowMetadata.text(of: self, kind: kind)
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    self = try FlowMetadata.flow(in: file, kind: kind)
  }
}
