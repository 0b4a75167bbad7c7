public import FlowIO

/// A file holds the whole flow. The parameters of each layer are named as in a PyTorch `ModuleList` of modules with a
/// Sequential `net`: `layers.0.net.0.weight`. Masks and widths are in the metadata.
extension CouplingFlow {
  static let modelName = "coupling"
  /// Upper bounds for values in a file, so that no product overflows before it is compared with the file's size.
  private static let mostLayers = 1024
  private static let mostHidden = 32
  private static let widest = 1 << 20

  public var parameterNames: ParameterNames {
    ParameterNames(of: nets.enumerated().map { (prefix: "layers.\($0)", program: $1.program) })
  }

  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    guard masks.count <= Self.mostLayers, hidden.count <= Self.mostHidden, hidden.allSatisfy({ $0 <= Self.widest })
    else {
      throw .notWritable(
        problem:
          "it has more than \(Self.mostLayers) layers, \(Self.mostHidden) hidden layers in each or \(Self.widest) rows")
    }
    var text = ModelMetadata.text(
      model: Self.modelName, kind: kind, dimension: dimension, transform: transform, base: base)
    text["masks"] = masks.map(\.description).joined(separator: ";")
    text["hidden"] = hidden.metadataText
    text["activation"] = activation.rawValue
    text["scale_bound"] = "\(scaleBound)"
    return text
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    let dimension = try ModelMetadata.dimension(in: file, model: Self.modelName, kind: kind, least: 2)
    func refused(_ key: String, _ problem: String) -> FlowFileError {
      .metadata(path: file.source, key: key, problem: problem)
    }
    let masks = try file.text("masks").split(separator: ";", omittingEmptySubsequences: false).map { text in
      guard let mask = CouplingMask(text), mask.dimension == dimension else {
        throw refused("masks", "'\(text.prefix(64))' is no mask of \(dimension) columns")
      }
      return mask
    }
    guard (1...Self.mostLayers).contains(masks.count) else {
      throw refused("masks", "\(masks.count) layers are not from 1 to \(Self.mostLayers)")
    }
    let hidden = try file.text("hidden").split(separator: ",").map { text in
      guard let width = Int(text), (1...Self.widest).contains(width) else {
        throw refused("hidden", "'\(text)' is not from 1 to \(Self.widest)")
      }
      return width
    }
    guard hidden.count <= Self.mostHidden else { throw refused("hidden", "more than \(Self.mostHidden) layers") }
    guard let activation = Activation(rawValue: try file.text("activation")) else {
      throw refused("activation", "'\(try file.text("activation"))' is not known")
    }
    let scaleBound = try file.positive("scale_bound")
    let names = ParameterNames(
      of: masks.enumerated().map { layer, mask in
        let net = CouplingNet(mask: mask, hidden: hidden, activation: activation, scaleBound: scaleBound)
        return (prefix: "layers.\(layer)", program: net.program)
      })
    self.init(
      masks: masks, hidden: hidden, activation: activation, scaleBound: scaleBound,
      parameters: try names.parameters(in: file), transform: try DataTransform(in: file, dimension: dimension),
      base: try BaseDistribution(in: file, dimension: dimension))
  }
}
