import FlowIO

/// A flow's description as a file's metadata: text to text.
///
/// | key | value |
/// |---|---|
/// | `swift_cnf.kind` | `flow`, or `training state` |
/// | `swift_cnf.version` | of this list: `1` |
/// | `dimension` | D |
/// | `program` | the field, as `ProgramText` writes it |
/// | `end_time` | T |
/// | `transform.shift`, `transform.scale` | D numbers, separated by commas |
///
/// Numbers are in the shortest decimal form that reads back as the same bits.
enum FlowMetadata {
  static let flowKind = "flow"
  static let stateKind = "training state"
  private static let kindKey = "swift_cnf.kind"
  private static let versionKey = "swift_cnf.version"
  private static let version = "1"

  static func text(of flow: ContinuousFlow, kind: String) -> [String: String] {
    [
      kindKey: kind, versionKey: version, "dimension": "\(flow.dimension)",
      "program": ProgramText.text(of: flow.program), "end_time": "\(flow.endTime)",
      "transform.shift": flow.transform.shift.map(\.description).joined(separator: ","),
      "transform.scale": flow.transform.scale.map(\.description).joined(separator: ","),
    ]
  }

  /// The flow that `file` describes and holds the parameters of. Counts are compared with the file's tensors before
  /// anything is made in their size.
  static func flow(in file: SafetensorsFile, kind: String) throws -> ContinuousFlow {
    let found = file.metadata[kindKey]
    guard found == kind else { throw FlowFileError.wrongKind(path: file.source, found: found, expected: kind) }
    let version = try file.text(versionKey)
    guard version == Self.version else {
      throw FlowFileError.metadata(
        path: file.source, key: versionKey, problem: "'\(version)' is not known here; a newer swift-cnf reads it")
    }
    let dimension = try file.number("dimension", Int.self)
    let program: FieldProgram
    do throws(ProgramText.Problem) {
      program = try ProgramText.program(try programText(in: file), dimension: dimension)
    } catch {
      throw FlowFileError.metadata(path: file.source, key: "program", problem: error.description)
    }
    let endTime = try file.number("end_time", Double.self)
    guard endTime > 0, endTime.isFinite else {
      throw FlowFileError.metadata(path: file.source, key: "end_time", problem: "\(endTime) is not positive and finite")
    }
    let shift = try file.numbers("transform.shift", count: dimension)
    let scale = try file.numbers("transform.scale", count: dimension)
    guard scale.allSatisfy({ $0 > 0 }) else {
      throw FlowFileError.metadata(path: file.source, key: "transform.scale", problem: "not all scales are positive")
    }
    return ContinuousFlow(
      program: program, parameters: try ParameterNames(of: program).parameters(in: file), endTime: endTime,
      transform: DataTransform(shift: shift, scale: scale))
  }

  private static func programText(in file: SafetensorsFile) throws(ProgramText.Problem) -> String {
    guard let text = file.metadata["program"] else { throw .init(description: "is missing") }
    return text
  }
}
