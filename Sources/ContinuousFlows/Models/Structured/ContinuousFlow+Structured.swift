extension ContinuousFlow {
  /// An untrained flow along Hamilton's equations of a learned energy, close to the identity. `dimension` is even;
  /// positions come before momenta.
  ///
  /// The flow preserves volumes (Liouville's theorem: Arnold 1989, Mathematical Methods of Classical Mechanics, section
  /// 16), so `log p(x) = log p₀(z)`. No divergence is computed, whatever the trace option, and the log-determinant is
  /// exactly 0. Such a flow can only rearrange the levels of its base's density, so a fitted base serves best.
  ///
  /// - Throws: `DerivativeError` for an activation without a smooth derivative.
  public init(
    dimension: Int, hamiltonian: HamiltonianArchitecture, endTime: Double = 1, seed: UInt64 = 0,
    transform: DataTransform? = nil, base: BaseDistribution = .standardNormal
  ) throws(DerivativeError) {
    let program = try hamiltonian.program(stateDimension: dimension)
    self.init(
      program: program, parameters: hamiltonian.initialParameters(stateDimension: dimension, seed: seed),
      endTime: endTime, transform: transform, base: base)
  }

  /// An untrained OT-Flow, along minus the gradient of a potential, close to the identity.
  ///
  /// - Throws: `DerivativeError` for an activation without a smooth derivative.
  public init(
    dimension: Int, transport: TransportArchitecture, endTime: Double = 1, seed: UInt64 = 0,
    transform: DataTransform? = nil, base: BaseDistribution = .standardNormal
  ) throws(DerivativeError) {
    let program = try transport.program(stateDimension: dimension)
    self.init(
      program: program, parameters: transport.initialParameters(stateDimension: dimension, seed: seed),
      endTime: endTime, transform: transform, base: base)
  }
}

extension InitialParameters {
  /// Factor of the last layers, whose sum is the potential: the first solves take few steps, and these layers still
  /// learn from the first step on.
  public static let potentialScale: Float = 0.1
}

extension HamiltonianArchitecture {
  /// `InitialParameters.uniform`, with the last layer of each of the energy's nets scaled by `lastLayerScale`. Use 1
  /// for an energy that is learned from derivatives.
  public func initialParameters(
    stateDimension: Int, seed: UInt64, lastLayerScale: Float = InitialParameters.potentialScale
  ) -> [Float] {
    let program = energyProgram(stateDimension: stateDimension)
    var parameters = InitialParameters.uniform(for: program, seed: seed)
    let layouts = program.linearLayouts
    let layers = hidden.count + 1
    for last in stride(from: layers - 1, to: layouts.count, by: layers) {
      parameters.scale(layouts[last], by: lastLayerScale)
    }
    return parameters
  }
}

extension TransportArchitecture {
  /// `InitialParameters.uniform`, with w and b scaled by a tenth and A by the root of a tenth, because ∇Φ contains A
  /// twice.
  public func initialParameters(stateDimension: Int, seed: UInt64) -> [Float] {
    let program = potentialProgram(stateDimension: stateDimension)
    var parameters = InitialParameters.uniform(for: program, seed: seed)
    let layouts = program.linearLayouts
    parameters.scale(layouts[lastLayers.net], by: InitialParameters.potentialScale)
    parameters.scale(layouts[lastLayers.quadratic], by: InitialParameters.potentialScale.squareRoot())
    parameters.scale(layouts[lastLayers.linear], by: InitialParameters.potentialScale)
    return parameters
  }
}

extension [Float] {
  fileprivate mutating func scale(_ layout: FieldProgram.LinearLayout, by factor: Float) {
    for index in layout.weightOffset..<layout.biasOffset + layout.rows { self[index] *= factor }
  }
}
