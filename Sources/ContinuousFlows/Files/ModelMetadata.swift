import FlowIO

/// The metadata of models other than a single continuous flow: as `FlowMetadata`, with version `4` and the name of the
/// model (`ModelFile`). Older readers, which know only continuous flows, refuse that version.
///
/// | key | value |
/// |---|---|
/// | `swift_cnf.model` | `coupling`, `affine`, `linear` or `stacked` |
/// | `dimension`, `transform.…`, `base…` | as a continuous flow's |
/// | of `coupling`: `masks` | one of 0 and 1 for each layer, 1 where a column is moved, separated by `;` |
/// | `hidden`, `activation`, `scale_bound` | of its nets |
/// | of `affine`: `permutation` | D numbers |
/// | of `stacked`: `blocks`, `program.0` …, `end_time` | number, fields (`ProgramText`), T of each |
enum ModelMetadata {
  private static let version = "4"

  /// The metadata that all these models share.
  static func text(
    model: String, kind: String, dimension: Int, transform: DataTransform, base: BaseDistribution
  ) -> [String: String] {
    var text = [
      FlowMetadata.kindKey: kind, "swift_cnf.version": version, ModelFile.modelKey: model, "dimension": "\(dimension)",
    ]
    text.merge(transform.metadata) { _, new in new }
    if base != .standardNormal { text.merge(base.metadata) { _, new in new } }
    return text
  }

  /// D of the model in `file`, which must have this name. D is at most `ProgramText.largestRows`, so no product
  /// overflows.
  static func dimension(in file: SafetensorsFile, model: String, kind: String, least: Int = 1) throws -> Int {
    try file.check(kind: kind)
    try ModelFile.check(file, holds: model)
    let version = try file.text("swift_cnf.version")
    guard version == Self.version else {
      throw FlowFileError.metadata(
        path: file.source, key: "swift_cnf.version",
        problem: "'\(version)' is not known here; a newer swift-cnf reads it")
    }
    let dimension = try file.number("dimension", Int.self)
    guard (least...ProgramText.largestRows).contains(dimension) else {
      throw FlowFileError.metadata(
        path: file.source, key: "dimension", problem: "\(dimension) is not from \(least) to \(ProgramText.largestRows)")
    }
    return dimension
  }
}

extension ParameterNames {
  /// The names for several programs, one after the other in the flat array, each with its prefix:
  /// `blocks.0.net.0.weight`.
  init(of parts: [(prefix: String, program: FieldProgram)]) {
    self.init(
      parts.flatMap { part in
        ParameterNames(of: part.program).entries.map { (name: "\(part.prefix).\($0.name)", shape: $0.shape) }
      })
  }
}
