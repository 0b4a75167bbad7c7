public import FlowIO

/// A file holds the whole flow: `lower_entries` and `upper_entries`, `[D(D − 1) / 2]`, `log_diagonal` and `bias`,
/// `[D]`; the permutation is in the metadata.
extension AffineFlow {
  static let modelName = "affine"

  public var parameterNames: ParameterNames { AffineLayout(dimension: dimension).names }

  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    var text = ModelMetadata.text(
      model: Self.modelName, kind: kind, dimension: dimension, transform: transform, base: base)
    text["permutation"] = permutation.metadataText
    return text
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    let dimension = try ModelMetadata.dimension(in: file, model: Self.modelName, kind: kind)
    let permutation = try file.text("permutation").split(separator: ",").map { Int($0) ?? -1 }
    guard permutation.count == dimension, permutation.sorted() == Array(0..<dimension) else {
      throw FlowFileError.metadata(
        path: file.source, key: "permutation", problem: "is no order of the numbers from 0 to \(dimension - 1)")
    }
    self.init(
      permutation: permutation, parameters: try AffineLayout(dimension: dimension).names.parameters(in: file),
      transform: try DataTransform(in: file, dimension: dimension),
      base: try BaseDistribution(in: file, dimension: dimension))
  }
}
