import FlowIO

/// | key | value |
/// |---|---|
/// | `condition` | `classes` or `columns` |
/// | `condition.dimension` | C, or K |
/// | `condition.probabilities` | of classes, K numbers |
/// | `condition.shift`, `condition.scale` | of columns, C numbers each; `condition.dtype` is their type, `float64` |
extension ContextKind {
  var metadata: [String: String] {
    var metadata = ["condition.dimension": "\(contextDimension)"]
    switch self {
    case .classes(let probabilities):
      metadata["condition"] = "classes"
      metadata["condition.probabilities"] = probabilities.metadataText
    case .columns(let transform):
      metadata["condition"] = "columns"
      metadata.merge(transform.affineMetadata("condition")) { _, new in new }
    }
    return metadata
  }

  /// The kind of context that `file` describes, nil if it names none, for a field that reads `contextDimension` context
  /// columns.
  static func contextKind(in file: SafetensorsFile, contextDimension: Int) throws(FlowFileError) -> ContextKind? {
    guard let kind = file.metadata["condition"] else { return nil }
    func refused(_ problem: String, key: String = "condition") -> FlowFileError {
      .metadata(path: file.source, key: key, problem: problem)
    }
    let dimension = try file.number("condition.dimension", Int.self)
    guard dimension == contextDimension, dimension > 0 else {
      throw refused(
        "\(dimension) columns for a field that reads \(contextDimension)", key: "condition.dimension")
    }
    let contextKind: ContextKind
    switch kind {
    case "classes":
      contextKind = .classes(
        probabilities: try file.numbers("condition.probabilities", count: dimension, Double.self))
    case "columns":
      contextKind = .columns(try DataTransform(affine: "condition", in: file, columns: dimension))
    default: throw refused("'\(kind)' is not a known kind of context; this version knows classes and columns")
    }
    if let problem = contextKind.problem { throw refused(problem) }
    return contextKind
  }
}
