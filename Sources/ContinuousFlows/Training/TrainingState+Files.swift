import FlowIO

extension TrainingState {
  /// Writes everything to one safetensors file, with checksums; the file at `path` is replaced once the new one is
  /// complete.
  ///
  /// Parameters and metadata are those of a model's file. `adam.first`, `adam.second`, `average` and `best` are flat,
  /// in the order of the parameters.
  public func write(to path: String) throws {
    var tensors = model.parameterNames.tensors(model.parameters)
    let count = model.parameters.count
    tensors.append(SafetensorsTensor(name: Self.firstName, shape: [count], floats: moments.first))
    tensors.append(SafetensorsTensor(name: Self.secondName, shape: [count], floats: moments.second))
    if let average { tensors.append(SafetensorsTensor(name: Self.averageName, shape: [count], floats: average)) }
    if let bestParameters {
      tensors.append(SafetensorsTensor(name: Self.bestName, shape: [count], floats: bestParameters))
    }
    var metadata = try model.metadata(kind: FlowMetadata.stateKind)
    metadata["step"] = "\(step)"
    metadata["seconds"] = "\(seconds)"
    metadata["best.step"] = "\(bestStep)"
    metadata["best.validations_since"] = "\(validationsSinceBest)"
    if let best {
      metadata["best.count"] = "\(best.count)"
      metadata["best.nll_nats"] = "\(best.nllNats)"
      metadata["best.nll_stderr"] = "\(best.nllStandardError)"
      metadata["best.bits_per_dim"] = "\(best.bitsPerDimension)"
      metadata["best.evaluations_mean"] = "\(best.evaluationsMean)"
      metadata["best.evaluations_max"] = "\(best.evaluationsMaximum)"
      metadata["best.failed"] = "\(best.failed)"
      metadata["best.accuracy"] = best.accuracy.map { "\($0)" }
      metadata["best.mean_squared_error"] = best.meanSquaredError.map { "\($0)" }
    }
    try SafetensorsFile(tensors: tensors, metadata: metadata).write(to: path)
  }

  /// Reads a state that `write` wrote, with the same bits.
  ///
  /// - Throws: `FlowIOError` for a missing, truncated or altered file; `FlowFileError` for a file of another kind.
  public init(contentsOf path: String) throws {
    let file = try SafetensorsFile(path: path)
    let model = try Model(from: file, kind: FlowMetadata.stateKind)
    let count = model.parameters.count
    func flat(_ name: String) throws -> [Float] {
      let tensor = try file.tensor(named: name)
      guard tensor.shape == [count] else {
        throw FlowFileError.wrongShape(path: path, tensor: name, found: tensor.shape, expected: [count])
      }
      return try file.floats(named: name)
    }
    func natural(_ key: String) throws -> Int {
      let number = try file.number(key, Int.self)
      guard number >= 0 else { throw FlowFileError.metadata(path: path, key: key, problem: "\(number) is negative") }
      return number
    }
    // Keys that only some models have, and older files lack.
    func optional(_ key: String) throws -> Double? {
      file.metadata[key] == nil ? nil : try file.number(key, Double.self)
    }
    self.init(model: model, keepsAverage: false)
    moments.first = try flat(Self.firstName)
    moments.second = try flat(Self.secondName)
    average = file[Self.averageName] == nil ? nil : try flat(Self.averageName)
    step = try natural("step")
    seconds = try file.number("seconds", Double.self)
    bestStep = try natural("best.step")
    validationsSinceBest = try natural("best.validations_since")
    guard file[Self.bestName] != nil else { return }
    bestParameters = try flat(Self.bestName)
    best = EvaluationResult(
      count: try natural("best.count"), nllNats: try file.number("best.nll_nats", Double.self),
      nllStandardError: try file.number("best.nll_stderr", Double.self),
      bitsPerDimension: try file.number("best.bits_per_dim", Double.self),
      evaluationsMean: try file.number("best.evaluations_mean", Double.self),
      evaluationsMaximum: try natural("best.evaluations_max"), failed: try natural("best.failed"),
      accuracy: try optional("best.accuracy"), meanSquaredError: try optional("best.mean_squared_error"))
  }

  private static var firstName: String { "adam.first" }
  private static var secondName: String { "adam.second" }
  private static var averageName: String { "average" }
  private static var bestName: String { "best" }
}
