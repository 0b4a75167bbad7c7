public import FlowIO

/// A file holds the model whole: the net's parameters named as in PyTorch's `nn.Sequential`, as a flow's; the net, the transform and
/// the process in the metadata. To a flow's keys come `process`, its kind, and `process.start`, `process.end`, its two numbers.
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

  /// No flow is to be read from a diffusion model's file, nor the other way round: its field would fit, its ends would not.
  private static let fileModel = "diffusion"

  /// What of the model a flow's metadata can describe, in the model's own bits; a flow that is never solved.
  private var carrier: ContinuousFlow {
    ContinuousFlow(
      program: program, parameters: parameters,
      endTime: process.flowTime(at: DiffusionProcess.likelihoodCutoff), transform: transform)
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
