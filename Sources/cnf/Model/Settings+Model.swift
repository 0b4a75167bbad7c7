import ContinuousFlows

/// From settings to a field's architecture.
extension Settings {
  var architecture: FieldArchitecture {
    FieldArchitecture(
      hidden: self.hidden, activation: self.activation, layer: self.layer, timeFeatures: self.timeFeatures,
      isResidual: self.residual,
      hasLayerNorm: self.layerNorm, dropout: self.dropout, hyperUnits: self.hyperUnits)
  }

  /// One GiB of weights. Training holds about six times that, and most machines would swap beyond it.
  static let mostParameters = 1 << 28

  /// Throws a usage failure if a flow of `dimension`, or `parts` such flows, would have too many parameters.
  func checkSize(dimension: Int, contextDimension: Int = 0, parts: Int = 1) throws {
    var architecture = architecture
    architecture.contextDimension = contextDimension
    let count = parts * architecture.program(stateDimension: dimension).parameterCount
    guard count > Self.mostParameters else { return }
    throw CommandFailure(
      .usage,
      "hidden is \(self.hidden), which for data of \(dimension) columns makes \(count) parameters of "
        + "\(count * MemoryLayout<Float>.size) bytes, must be at most \(Self.mostParameters): give fewer or "
        + "narrower layers")
  }
}
