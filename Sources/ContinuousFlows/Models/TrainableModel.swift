public import FlowIO

/// A model that `Trainer` can fit: its parameters are one flat array.
public protocol TrainableModel: Sendable, Equatable {
  /// The parameters, `[P]`. An optimiser changes them in place.
  var parameters: [Float] { get set }
  /// D, the number of columns of a sample.
  var dimension: Int { get }
  /// The transform from the data to what the model reads.
  var transform: DataTransform { get }
  /// The names of the parts of `parameters`, for messages and files.
  var parameterNames: ParameterNames { get }
  /// C, the number of context columns of a sample; 0, the default, means none.
  var contextDimension: Int { get }
  /// The kind of context that the model reads. nil, the default, when it reads none, or when the caller gives the
  /// context as the model reads it.
  var contextKind: ContextKind? { get }

  /// The range of the last parameters if they are not weights and weight decay must skip them; nil if all are weights.
  var undecayedParameters: Range<Int>? { get }

  /// The model's description in a file, apart from its parameters. `kind` is `flow` or `training state`.
  ///
  /// - Throws: `FlowFileError.notWritable` if no file can hold the model.
  func metadata(kind: String) throws(FlowFileError) -> [String: String]

  /// Reads the model that `file` describes, with its parameters; tensors of other names are ignored.
  ///
  /// - Throws: `FlowFileError` for a file of another model or kind.
  init(from file: SafetensorsFile, kind: String) throws
}

extension TrainableModel {
  public var contextDimension: Int { 0 }
  public var contextKind: ContextKind? { nil }
  public var undecayedParameters: Range<Int>? { nil }
}

extension TrainableModel {
  /// The context as the model reads it, from the context in its own units; both `[count][C]`.
  public func seenContext(_ context: [Double]) -> [Float] {
    contextKind?.seen(context) ?? context.map { Float($0) }
  }

  /// Writes the whole model to one safetensors file, with checksums; the file at `path` is replaced once the new one is
  /// complete.
  ///
  /// - Throws: `FlowIOError` naming the path and the system's reason; `FlowFileError.notWritable`.
  public func write(to path: String) throws {
    let file = SafetensorsFile(
      tensors: parameterNames.tensors(parameters), metadata: try metadata(kind: FlowMetadata.flowKind))
    try file.write(to: path)
  }

  /// Reads a model that `write` wrote.
  ///
  /// - Throws: `FlowIOError` for a missing, truncated or altered file; `FlowFileError` for a file of another model, or
  ///   whose tensors do not fit its description.
  public init(contentsOf path: String) throws {
    let file = try SafetensorsFile(path: path)
    try self.init(from: file, kind: FlowMetadata.flowKind)
    try Self.refuseOthers(in: file, than: parameterNames)
  }

  /// Replaces the parameters by those in a file of weights alone, such as a PyTorch state_dict saved as safetensors.
  /// Names and shapes must fit.
  ///
  /// - Throws: as `init(contentsOf:)`; the model is then unchanged.
  public mutating func readParameters(from path: String) throws {
    let file = try SafetensorsFile(path: path)
    let names = parameterNames
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
