public import FlowIO

/// A file holds the whole flow. The parameters of each block are named as in a PyTorch `ModuleList` of modules with a
/// Sequential `net`: `blocks.0.net.0.weight`. Fields, T and the transform are in the metadata.
extension StackedFlow: TrainableModel {
  static let modelName = "stacked"
  /// Upper bound for the number of blocks in a file.
  private static let mostBlocks = 1024

  public var parameterNames: ParameterNames { Self.names(programs) }

  private static func names(_ programs: [FieldProgram]) -> ParameterNames {
    ParameterNames(of: programs.enumerated().map { (prefix: "blocks.\($0)", program: $1) })
  }

  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    guard blockCount <= Self.mostBlocks else {
      throw .notWritable(problem: "it has more than \(Self.mostBlocks) blocks")
    }
    var text = ModelMetadata.text(
      model: Self.modelName, kind: kind, dimension: dimension, transform: transform, base: base)
    text["end_time"] = "\(endTime)"
    text["blocks"] = "\(blockCount)"
    for (block, program) in programs.enumerated() {
      text["program.\(block)"] = try program.metadataText()
    }
    return text
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    let dimension = try ModelMetadata.dimension(in: file, model: Self.modelName, kind: kind)
    let endTime = try file.positive("end_time")
    let count = try file.number("blocks", Int.self)
    guard (1...Self.mostBlocks).contains(count) else {
      throw FlowFileError.metadata(
        path: file.source, key: "blocks", problem: "\(count) is not from 1 to \(Self.mostBlocks)")
    }
    let programs = try (0..<count).map { try file.program("program.\($0)", dimension: dimension) }
    guard Set(programs.map(\.contextDimension)).subtracting([0]).count <= 1 else {
      throw FlowFileError.metadata(
        path: file.source, key: "program.0", problem: "blocks read contexts of different rows")
    }
    self.init(
      programs: programs, parameters: try Self.names(programs).parameters(in: file), endTime: endTime,
      transform: try DataTransform(in: file, dimension: dimension),
      base: try BaseDistribution(in: file, dimension: dimension))
  }
}
