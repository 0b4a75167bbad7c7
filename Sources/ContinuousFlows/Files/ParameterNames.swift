import FlowIO

/// The parameters as PyTorch's `nn.Sequential` names them: `net.0.weight` `[out, in]`, `net.0.bias`, then `net.2.…`.
///
/// Numbers count modules. Activations are modules, fused ones too, except the identity. So are norms (gain and bias are
/// `net.1.weight` and `net.1.bias`, as in LayerNorm) and dropouts. Time, context, concatenations, slices, additions,
/// products, scales, sums and transposed products are not. A callback's parameters, if it has any, are
/// `net.3.parameters`, of one extent.
public struct ParameterNames: Sendable, Equatable {
  /// One tensor: its place in the flat array, and its shape.
  public struct Entry: Sendable, Equatable {
    public let name: String
    public let shape: [Int]
    public let offset: Int
    public var count: Int { shape.reduce(1, *) }
  }

  /// In the order of their offsets.
  public let entries: [Entry]

  /// Tensors one after the other, from offset 0.
  public init(_ tensors: [(name: String, shape: [Int])]) {
    var offset = 0
    entries = tensors.map { tensor in
      let entry = Entry(name: tensor.name, shape: tensor.shape, offset: offset)
      offset += entry.count
      return entry
    }
  }

  public init(of program: FieldProgram) {
    var entries: [Entry] = []
    var layouts = program.linearLayouts.makeIterator()
    var callbackLayouts = program.callbackLayouts.makeIterator()
    var norms = program.normLayouts.makeIterator()
    var module = 0
    for operation in program.operations {
      switch operation {
      case .linear(_, _, let activation):
        guard let layout = layouts.next() else { continue }
        entries.append(
          Entry(
            name: "net.\(module).weight", shape: [layout.rows, layout.columns], offset: layout.weightOffset))
        entries.append(Entry(name: "net.\(module).bias", shape: [layout.rows], offset: layout.biasOffset))
        module += activation == .identity ? 1 : 2
      case .activation, .dropout: module += 1
      case .layerNorm:
        guard let layout = norms.next() else { continue }
        entries.append(Entry(name: "net.\(module).weight", shape: [layout.rows], offset: layout.gainOffset))
        entries.append(Entry(name: "net.\(module).bias", shape: [layout.rows], offset: layout.biasOffset))
        module += 1
      case .callback:
        guard let layout = callbackLayouts.next() else { continue }
        if layout.callback.parameterCount > 0 {
          entries.append(
            Entry(
              name: "net.\(module).parameters", shape: [layout.callback.parameterCount], offset: layout.offset))
        }
        module += 1
      case .time, .add, .concatenate, .multiply, .slice, .context, .scale, .transposed, .sum: continue
      }
    }
    self.entries = entries
  }

  /// The name of parameter number `index` of the flat array, with its index in the tensor: `net.2.weight[17]`.
  func name(of index: Int) -> String {
    guard let entry = entries.last(where: { $0.offset <= index }) else { return "parameter \(index)" }
    return "\(entry.name)[\(index - entry.offset)]"
  }

  func tensors(_ parameters: [Float]) -> [SafetensorsTensor] {
    entries.map {
      SafetensorsTensor(name: $0.name, shape: $0.shape, floats: Array(parameters[$0.offset..<$0.offset + $0.count]))
    }
  }

  /// Reads the flat array from `file`, whose tensors must have these shapes and finite values.
  func parameters(in file: SafetensorsFile) throws -> [Float] {
    for entry in entries {
      let tensor = try file.tensor(named: entry.name)
      guard tensor.shape == entry.shape else {
        throw FlowFileError.wrongShape(
          path: file.source, tensor: entry.name, found: tensor.shape, expected: entry.shape)
      }
    }
    var parameters: [Float] = []
    for entry in entries {
      let values = try file.floats(named: entry.name)
      guard values.allSatisfy(\.isFinite) else { throw FlowFileError.notFinite(path: file.source, tensor: entry.name) }
      parameters += values
    }
    return parameters
  }
}
