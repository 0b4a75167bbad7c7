public import FlowIO

/// What `Trainer` fits: a model of samples whose parameters are one flat array.
public protocol TrainableModel: Sendable, Equatable {
  /// `[P]`. An optimiser changes them in place.
  var parameters: [Float] { get set }
  /// D, the columns of a sample.
  var dimension: Int { get }
  /// What stands between the data and the model.
  var transform: DataTransform { get }
  /// What the parts of `parameters` are called, in messages and files.
  var parameterNames: ParameterNames { get }
  /// C, the columns of the context that comes with a sample; 0, which is the default: none.
  var contextDimension: Int { get }
  /// What the model reads of a context, both `[count][C]`; by default the same.
  func seenContext(_ context: [Float]) -> [Float]

  /// Numbers of the last parameters, which are no weights, so that weight decay leaves them alone; nil: all are.
  var undecayedParameters: Range<Int>? { get }

  /// What a file says of the model beside its parameters; `kind` is `flow`, or `training state`.
  ///
  /// - Throws: `FlowFileError.notWritable` where no file can hold the model.
  func metadata(kind: String) throws(FlowFileError) -> [String: String]

  /// The model that `file` describes and holds the parameters of; tensors of other names are not its concern.
  ///
  /// - Throws: `FlowFileError` for a file of another model or kind.
  init(from file: SafetensorsFile, kind: String) throws
}

extension TrainableModel {
  public var contextDimension: Int { 0 }
  public func seenContext(_ context: [Float]) -> [Float] { context }
  public var undecayedParameters: Range<Int>? { nil }
}

extension TrainableModel {
  /// Writes the whole model to one safetensors file, with checksums; the file at `path` is replaced once the new one is
  /// complete.
  ///
  /// - Throws: `FlowIOError` naming the path and the system's reason; `FlowFileError.notWritable`.
  public func write(to path: String) throws {
    let file = SafetensorsFile(
      tensors: parameterNames.tensors(parameters), metadata: try metadata(kind: FlowMetadata.flowKind))
    try file.write(to: path)
  }

  /// Reads a model that `write` has written.
  ///
  /// - Throws: `FlowIOError` for a missing, cut or altered file; `FlowFileError` for one that is no such model, or whose
  ///   tensors do not fit what it describes.
  public init(contentsOf path: String) throws {
    let file = try SafetensorsFile(path: path)
    try self.init(from: file, kind: FlowMetadata.flowKind)
    try Self.refuseOthers(in: file, than: parameterNames)
  }

  /// Takes over weights alone, such as a PyTorch state_dict saved as safetensors, whose names and shapes have to fit.
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
