public import FlowIO

/// OT-Flow: a flow along minus the gradient of a potential, with the architecture of that potential.
public struct TransportFlow: StructuredFlow {
  public var flow: ContinuousFlow {
    didSet { precondition(flow.program == oldValue.program, "the flow is of another field") }
  }
  /// Its `rank` is the number of rows of A, at most D.
  public let architecture: TransportArchitecture

  /// An untrained flow, close to the identity.
  ///
  /// - Throws: `DerivativeError` for an activation without a smooth derivative.
  public init(
    dimension: Int, architecture: TransportArchitecture = TransportArchitecture(), endTime: Double = 1,
    seed: UInt64 = 0, transform: DataTransform? = nil, base: BaseDistribution = .standardNormal
  ) throws(DerivativeError) {
    flow = try ContinuousFlow(
      dimension: dimension, transport: architecture, endTime: endTime, seed: seed, transform: transform, base: base)
    self.architecture = Self.bounded(architecture, by: dimension)
  }

  private static func bounded(_ architecture: TransportArchitecture, by dimension: Int) -> TransportArchitecture {
    var architecture = architecture
    architecture.rank = min(architecture.rank, dimension)
    return architecture
  }

  // MARK: Files

  static let model = "potential"
  private static let largestWidth = 1 << 16

  /// The metadata of the flow, and the five values of the architecture.
  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    var text = try FlowMetadata.text(of: flow, kind: kind)
    text[ModelFile.modelKey] = Self.model
    text["potential.width"] = "\(architecture.width)"
    text["potential.layers"] = "\(architecture.layers)"
    text["potential.rank"] = "\(architecture.rank)"
    text["potential.activation"] = architecture.activation.rawValue
    text["potential.transport_scale"] = "\(architecture.transportScale)"
    return text
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    flow = try FlowMetadata.flow(in: file, kind: kind, model: Self.model)
    func natural(_ key: String, from least: Int) throws -> Int {
      let number = try file.number(key, Int.self)
      guard least...Self.largestWidth ~= number else {
        throw FlowFileError.metadata(path: file.source, key: key, problem: "\(number) is out of range")
      }
      return number
    }
    let scale = try file.number("potential.transport_scale", Double.self)
    guard scale > 0, scale.isFinite, let activation = Activation(rawValue: try file.text("potential.activation")) else {
      throw FlowFileError.metadata(
        path: file.source, key: "potential.activation", problem: "it or the transport's scale is out of range")
    }
    // The number of layers is compared with the program, whose operations are counted already, before any layer is
    // made.
    let layers = try natural("potential.layers", from: 2)
    guard layers <= flow.program.operations.count else {
      throw FlowFileError.metadata(path: file.source, key: "potential.layers", problem: "\(layers) is out of range")
    }
    // In older files the rank may be above D, and A has D rows.
    architecture = Self.bounded(
      TransportArchitecture(
        width: try natural("potential.width", from: 1), layers: layers, rank: try natural("potential.rank", from: 1),
        activation: activation, transportScale: scale), by: flow.dimension)
    guard (try? architecture.program(stateDimension: flow.dimension)) == flow.program else {
      throw FlowFileError.metadata(
        path: file.source, key: "program", problem: "it is not the gradient of the potential that is described")
    }
  }
}
