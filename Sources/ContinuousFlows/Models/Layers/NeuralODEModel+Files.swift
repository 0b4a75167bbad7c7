public import FlowIO

/// A file holds the whole model: parameters named as in PyTorch, the rest in the metadata.
///
/// | key | value |
/// |---|---|
/// | `swift_cnf.kind` | `flow`, as of every model's file, or `training state` |
/// | `swift_cnf.model` | `classifier`, `regression` or `residual-network` |
/// | `swift_cnf.version` | of this list: `1` |
/// | `task` | `classification` or `regression` |
/// | `dimension`, `state_dimension` | columns of the data, rows of the state |
/// | `encoder.widths`, `head.widths` | of the dense layers; also `encoder.activation`, `head.activation` |
/// | `program`, `start_time`, `end_time` | the equation; the rows that the encoder does not give are augmented ones |
/// | `residual_steps` | of a residual network |
/// | `transform.shift`, `transform.scale`, `transform.dtype` | of the data; `targets.…` the same of a regression |
extension NeuralODEModel: TrainableModel {
  /// The name of the model in a file and in `--model`.
  public enum Word {
    public static let classifier = "classifier"
    public static let regression = "regression"
    public static let residualNetwork = "residual-network"
    static let all = [classifier, regression, residualNetwork]
  }

  public var word: String {
    if residualSteps != nil { return Word.residualNetwork }
    return task == .classification ? Word.classifier : Word.regression
  }

  public var parameterNames: ParameterNames { Self.names(of: architecture) }

  private static func names(of architecture: NeuralODEArchitecture) -> ParameterNames {
    let tensors = { (names: ParameterNames) in names.entries.map { (name: $0.name, shape: $0.shape) } }
    return ParameterNames(
      tensors(ParameterNames(of: architecture.encoder, prefix: "encoder"))
        + tensors(ParameterNames(of: architecture.program))
        + tensors(ParameterNames(of: architecture.head, prefix: "head")))
  }

  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    var text = [
      FlowMetadata.kindKey: kind, ModelFile.modelKey: word, "swift_cnf.version": "1", "task": "classification",
      "dimension": "\(dimension)", "state_dimension": "\(architecture.stateDimension)",
      "encoder.widths": architecture.encoder.widths.metadataText,
      "encoder.activation": architecture.encoder.activation.rawValue,
      "head.widths": architecture.head.widths.metadataText, "head.activation": architecture.head.activation.rawValue,
      "program": try architecture.program.metadataText(), "start_time": "\(architecture.startTime)",
      "end_time": "\(architecture.endTime)",
    ]
    text.merge(transform.affineMetadata("transform")) { _, new in new }
    if case .regression(let targets) = task {
      text["task"] = "regression"
      text.merge(targets.affineMetadata("targets")) { _, new in new }
    }
    if let residualSteps { text["residual_steps"] = "\(residualSteps)" }
    return text
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    try file.check(kind: kind)
    let word = ModelFile.model(in: file)
    guard Word.all.contains(word) else {
      throw FlowFileError.metadata(
        path: file.source, key: ModelFile.modelKey,
        problem: "it is of a model '\(word)', not of one with outputs: \(Word.all.joined(separator: ", "))")
    }
    let version = try file.text("swift_cnf.version")
    guard version == "1" else {
      throw FlowFileError.metadata(
        path: file.source, key: "swift_cnf.version", problem: "'\(version)' is not known here; a newer one reads it")
    }
    let architecture = try Self.architecture(in: file)
    let task: Task
    switch try file.text("task") {
    case "classification": task = .classification
    case "regression":
      task = .regression(targets: try DataTransform(affine: "targets", in: file, columns: architecture.outputDimension))
    case let other: throw FlowFileError.metadata(path: file.source, key: "task", problem: "'\(other)' is not known")
    }
    var residualSteps: Int?
    if word == Word.residualNetwork { residualSteps = try file.count("residual_steps", from: 1) }
    let transform = try DataTransform(affine: "transform", in: file, columns: architecture.inputDimension)
    // Names and shapes come from the description. They are compared with the file's tensors before anything of their
    // size is allocated.
    let names = Self.names(of: architecture)
    self.init(
      architecture: architecture, task: task, parameters: try names.parameters(in: file), transform: transform,
      residualSteps: residualSteps)
  }

  private static func architecture(in file: SafetensorsFile) throws -> NeuralODEArchitecture {
    let dimension = try file.count("dimension", from: 1)
    let stateDimension = try file.count("state_dimension", from: 1)
    let encoder = try file.dense("encoder", inputDimension: dimension)
    let head = try file.dense("head", inputDimension: stateDimension)
    guard stateDimension >= encoder.outputDimension else {
      throw FlowFileError.metadata(
        path: file.source, key: "state_dimension",
        problem: "\(stateDimension) rows do not hold the encoder's \(encoder.outputDimension)")
    }
    let program = try file.program("program", dimension: stateDimension)
    guard program.contextDimension == 0 else {
      throw FlowFileError.metadata(path: file.source, key: "program", problem: "it reads a context")
    }
    let times = try ["start_time", "end_time"].map { key in
      let time = try file.number(key, Double.self)
      guard time.isFinite else {
        throw FlowFileError.metadata(path: file.source, key: key, problem: "\(time) is not finite")
      }
      return time
    }
    return NeuralODEArchitecture(
      encoder: encoder, augmentedDimensions: stateDimension - encoder.outputDimension, program: program,
      from: times[0], to: times[1], head: head)
  }
}

extension ParameterNames {
  /// `prefix.0.weight`, `prefix.0.bias`, then `prefix.2.…`: activations have numbers too, as in a Sequential.
  init(of network: DenseNetwork, prefix: String) {
    var module = 0
    var tensors: [(name: String, shape: [Int])] = []
    for layout in network.layouts {
      tensors.append(("\(prefix).\(module).weight", [layout.rows, layout.columns]))
      tensors.append(("\(prefix).\(module).bias", [layout.rows]))
      module += layout.activation == .identity ? 1 : 2
    }
    self.init(tensors)
  }
}

extension SafetensorsFile {
  fileprivate func count(_ key: String, from least: Int) throws(FlowFileError) -> Int {
    let number = try number(key, Int.self)
    guard least...ProgramText.largestRows ~= number else {
      throw .metadata(path: source, key: key, problem: "\(number) is not from \(least) to \(ProgramText.largestRows)")
    }
    return number
  }

  fileprivate func dense(_ name: String, inputDimension: Int) throws(FlowFileError) -> DenseNetwork {
    let key = "\(name).widths"
    let parts = try text(key).split(separator: ",")
    let widths = parts.compactMap { Int($0) }.filter { 1...ProgramText.largestRows ~= $0 }
    guard widths.count == parts.count, widths.count <= ProgramText.largestOperationCount else {
      throw .metadata(path: source, key: key, problem: "not all are numbers from 1 to \(ProgramText.largestRows)")
    }
    guard let activation = Activation(rawValue: try text("\(name).activation")) else {
      throw .metadata(path: source, key: "\(name).activation", problem: "is no activation")
    }
    return DenseNetwork(inputDimension: inputDimension, widths: widths, activation: activation)
  }
}
