public import FlowIO

/// A file holds the whole model. Parameters are named as in PyTorch's `nn.Sequential`, as for a flow; the net, the
/// transform and the process are in the metadata. In addition to a flow's keys there are `process`, its kind, and
/// `process.start` and `process.end`, its two numbers.
extension DiffusionModel: TrainableModel {
  public var parameterNames: ParameterNames { ParameterNames(of: program) }

  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    var text = try FlowMetadata.text(of: carrier, kind: kind)
    text[ModelFile.modelKey] = Self.fileModel
    text["process"] = process.kind
    switch process {
    case .variancePreserving(let start, let end), .subVariancePreserving(let start, let end),
      .varianceExploding(let start, let end):
      text["process.start"] = "\(start)"
      text["process.end"] = "\(end)"
    }
    return text
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    let carrier = try FlowMetadata.flow(in: file, kind: kind, model: Self.fileModel)
    self.init(
      process: try Self.process(in: file), program: carrier.program, parameters: carrier.parameters,
      transform: carrier.transform)
  }

  /// The name differs from that of a flow, so that neither is read as the other: the field would fit, the end times
  /// would not.
  private static let fileModel = "diffusion"

  /// The parts of the model that a flow's metadata can describe, with the same bits; this flow is never solved.
  private var carrier: ContinuousFlow {
    ContinuousFlow(
      program: program, parameters: parameters,
      endTime: process.flowTime(at: DiffusionProcess.cutoff), transform: transform)
  }

  private static func process(in file: SafetensorsFile) throws(FlowFileError) -> DiffusionProcess {
    let kind = try file.text("process")
    let (start, end) = (try file.number("process.start", Double.self), try file.number("process.end", Double.self))
    let process: DiffusionProcess
    switch kind {
    case "vp": process = .variancePreserving(betaStart: start, betaEnd: end)
    case "sub-vp": process = .subVariancePreserving(betaStart: start, betaEnd: end)
    case "ve": process = .varianceExploding(deviationStart: start, deviationEnd: end)
    default: throw .metadata(path: file.source, key: "process", problem: "'\(kind)' is not known")
    }
    if let problem = process.problem {
      throw .metadata(path: file.source, key: "process.start", problem: problem)
    }
    return process
  }
}
