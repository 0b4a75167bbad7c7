import FlowIO

extension ContinuousFlow {
  /// Writes the whole flow to one safetensors file, with checksums; the file at `path` is replaced once the new one is
  /// complete.
  ///
  /// Parameters are named as in PyTorch's `nn.Sequential`; the field, T and the transform are in the metadata, so the
  /// file is enough to go on with.
  ///
  /// - Throws: `FlowIOError` naming the path and the system's reason; `FlowFileError` for a field with callbacks, which no
  ///   file can hold.
  public func write(to path: String) throws {
    let file = SafetensorsFile(
      tensors: ParameterNames(of: program).tensors(parameters),
      metadata: try FlowMetadata.text(of: self, kind: FlowMetadata.flowKind))
    try file.write(to: path)
  }

  /// Reads a flow that `write` has written.
  ///
  /// - Throws: `FlowIOError` for a missing, cut or altered file; `FlowFileError` for one that is no flow, or whose tensors
  ///   do not fit the field it describes.
  public init(contentsOf path: String) throws {
    let file = try SafetensorsFile(path: path)
    self = try FlowMetadata.flow(in: file, kind: FlowMetadata.flowKind)
    try Self.refuseOthers(in: file, than: ParameterNames(of: program))
  }

  /// Takes over weights alone, such as a PyTorch state_dict saved as safetensors, whose names and shapes have to fit.
  ///
  /// - Throws: as `init(contentsOf:)`; the flow is then unchanged.
  public mutating func readParameters(from path: String) throws {
    let file = try SafetensorsFile(path: path)
    let names = ParameterNames(of: program)
    let parameters = try names.parameters(in: file)
    try Self.refuseOthers(in: file, than: names)
    self.parameters = parameters
  }

  private static func refuseOthers(in file: SafetensorsFile, than names: ParameterNames) throws(FlowFileError) {
    let known = Set(names.entries.map(\.name))
    let others = file.tensors.map(\.name).filter { !known.contains($0) }
    guard others.isEmpty else { throw .unexpectedTensors(path: file.source, names: others) }
  }
}
