/// The parts of a model with a neural ODE inside: an encoder, an ordinary differential equation, a head.
///
/// The initial state is the encoder's output followed by `augmentedDimensions` zeros. With more dimensions than the
/// data have, trajectories can pass one another, which is impossible in the data's own dimensions (augmented neural
/// ODEs; Dupont, Doucet and Teh 2019, arXiv 1904.01681). Parameters are one flat array: encoder, field, head.
public struct NeuralODEArchitecture: Sendable, Equatable {
  /// Maps the inputs; `DenseNetwork.identity` if the state begins with the inputs.
  public let encoder: DenseNetwork
  /// Number of zeros that follow the encoder's outputs.
  public let augmentedDimensions: Int
  public let program: FieldProgram
  public let startTime: Double
  /// May be before `startTime`.
  public let endTime: Double
  /// Maps the final state to the outputs.
  public let head: DenseNetwork

  /// Shapes that do not fit are a precondition failure.
  public init(
    encoder: DenseNetwork, augmentedDimensions: Int = 0, program: FieldProgram, from startTime: Double = 0,
    to endTime: Double = 1, head: DenseNetwork
  ) {
    precondition(augmentedDimensions >= 0, "augmentedDimensions is \(augmentedDimensions), must not be negative")
    precondition(
      program.isComplete && program.stateDimension == encoder.outputDimension + augmentedDimensions,
      "a field over \(program.stateDimension) rows, after an encoder of \(encoder.outputDimension) and "
        + "\(augmentedDimensions) zeros")
    precondition(program.contextDimension == 0, "a field that reads a context has none here")
    precondition(
      head.inputDimension == program.stateDimension,
      "a head of \(head.inputDimension) inputs after a state of \(program.stateDimension)")
    precondition(startTime.isFinite && endTime.isFinite, "times from \(startTime) to \(endTime), must be finite")
    self.encoder = encoder
    self.augmentedDimensions = augmentedDimensions
    self.program = program
    self.startTime = startTime
    self.endTime = endTime
    self.head = head
  }

  public var inputDimension: Int { encoder.inputDimension }
  public var stateDimension: Int { program.stateDimension }
  public var outputDimension: Int { head.outputDimension }
  /// P.
  public var parameterCount: Int { encoder.parameterCount + program.parameterCount + head.parameterCount }
  /// The range of each part's parameters in the flat array.
  public var encoderRange: Range<Int> { 0..<encoder.parameterCount }
  public var fieldRange: Range<Int> {
    encoder.parameterCount..<encoder.parameterCount + program.parameterCount
  }
  public var headRange: Range<Int> { fieldRange.upperBound..<parameterCount }

  /// Initial parameters for training, `[P]`, keyed by `seed`.
  ///
  /// - Parameter lastLayerScale: a factor of the field's last layer, as in `InitialParameters`.
  public func initialParameters(seed: UInt64, lastLayerScale: Float = 1) -> [Float] {
    InitialParameters.uniform(for: encoder, seed: seed, role: .encoder)
      + InitialParameters.uniform(for: program, seed: seed, lastLayerScale: lastLayerScale)
      + InitialParameters.uniform(for: head, seed: seed, role: .head)
  }
}
