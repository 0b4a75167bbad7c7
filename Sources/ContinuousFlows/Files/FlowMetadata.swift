import FlowIO

/// The description of a flow in a file's metadata, as pairs of texts.
///
/// | key | value |
/// |---|---|
/// | `swift_cnf.kind` | `flow`, or `training state` |
/// | `swift_cnf.version` | `4` with a context or the logit, `3` with a base, `2` with marginals, else `1` |
/// | `dimension` | D |
/// | `program` | the field, as `ProgramText` writes it |
/// | `end_time` | T |
/// | `transform.shift`, `transform.scale` | D numbers, separated by commas |
/// | `transform.dtype` | `float64`: the type of these numbers; without it they are float32 |
/// | `base` | the kind of the base, if it is not the standard normal; `base.mean` and so on its numbers |
/// | `transform.levels`, `transform.probabilities` | of the transform's marginals, if it has them; D · levels numbers |
/// | `transform.logit_alpha` | α of the transform's logit, if it has one |
/// | `condition` | the kind of context, if known; `condition.dimension` and so on: `ContextKind` |
///
/// Numbers are in the shortest decimal form that reads back to the same bits.
enum FlowMetadata {
  static let flowKind = "flow"
  static let stateKind = "training state"
  static let kindKey = "swift_cnf.kind"
  private static let versionKey = "swift_cnf.version"
  private static let plainVersion = "1"
  private static let marginalsVersion = "2"
  private static let baseVersion = "3"
  private static let conditionVersion = "4"

  /// - Throws: `FlowFileError.notWritable` if no file can hold the field.
  static func text(of flow: ContinuousFlow, kind: String) throws(FlowFileError) -> [String: String] {
    var text = [
      kindKey: kind, versionKey: plainVersion, "dimension": "\(flow.dimension)",
      "program": try flow.program.metadataText(), "end_time": "\(flow.endTime)",
    ]
    text.merge(flow.transform.metadata) { _, new in new }
    if flow.transform.marginals != nil { text[versionKey] = marginalsVersion }
    if flow.base != .standardNormal {
      text[versionKey] = baseVersion
      text.merge(flow.base.metadata) { _, new in new }
    }
    if flow.transform.logit != nil { text[versionKey] = conditionVersion }
    if let contextKind = flow.contextKind {
      text[versionKey] = conditionVersion
      text.merge(contextKind.metadata) { _, new in new }
    }
    return text
  }

  /// Reads the flow that `file` describes. Counts are compared with the file's tensors before anything of their size is
  /// allocated.
  static func flow(
    in file: SafetensorsFile, kind: String, model: String = ModelFile.continuousFlow
  ) throws -> ContinuousFlow {
    try file.check(kind: kind)
    try ModelFile.check(file, holds: model)
    let version = try file.text(versionKey)
    guard [plainVersion, marginalsVersion, baseVersion, conditionVersion].contains(version) else {
      throw FlowFileError.metadata(
        path: file.source, key: versionKey, problem: "'\(version)' is not known here; a newer swift-cnf reads it")
    }
    let dimension = try file.number("dimension", Int.self)
    let program = try file.program("program", dimension: dimension)
    let endTime = try file.positive("end_time")
    return ContinuousFlow(
      program: program, parameters: try ParameterNames(of: program).parameters(in: file), endTime: endTime,
      transform: try DataTransform(in: file, dimension: dimension),
      base: try BaseDistribution(in: file, dimension: dimension),
      contextKind: try ContextKind.contextKind(in: file, contextDimension: program.contextDimension))
  }
}
