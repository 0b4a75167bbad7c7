import FieldPrograms

/// The derivative of a loss of a `DenseNetwork`'s outputs.
public struct DenseGradient<Scalar: FlowScalar>: Sendable {
  /// The outputs, `[count][outputs]`.
  public let outputs: [Scalar]
  /// `∂L/∂θ`, `[P]`; empty if it was not asked for.
  public let parameters: [Scalar]
  /// `∂L/∂inputs`, `[count][inputs]`.
  public let inputs: [Scalar]
}

/// A `DenseNetwork` with parameters: its outputs and their derivative, for `Float` and `Double`, on the caller's
/// thread.
///
/// A sample's outputs and its input's cotangent have the same bits whatever its neighbours, their number and its place:
/// a lane sums over columns in order. The parameters' gradient sums over samples in order.
public struct DenseEvaluator<Scalar: FlowScalar>: Sendable {
  public let network: DenseNetwork
  let parameters: SharedArray<Scalar>
  /// Every layer's weight transposed, `[columns][rows]`, at the weight's offset.
  let transposed: SharedArray<Scalar>

  /// - Parameter parameters: `[P]` of the network.
  public init(_ network: DenseNetwork, parameters: [Scalar]) {
    precondition(
      parameters.count == network.parameterCount,
      "\(parameters.count) parameters for a network that has \(network.parameterCount)")
    self.network = network
    self.parameters = SharedArray(parameters)
    transposed = Self.transposed(parameters, of: network)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func transposed(_ parameters: [Scalar], of network: DenseNetwork) -> SharedArray<Scalar> {
    let transposed = SharedArray<Scalar>(repeating: 0, count: parameters.count)
    for layout in network.layouts {
      for row in 0..<layout.rows {
        for column in 0..<layout.columns {
          transposed[layout.weightOffset + column * layout.rows + row] =
            parameters[layout.weightOffset + row * layout.columns + column]
        }
      }
    }
    return transposed
  }

  /// Outputs `[count][outputs]` of inputs `[count][inputs]`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func outputs(of inputs: [Scalar]) -> [Scalar] {
    guard !network.widths.isEmpty else { return inputs }
    return MemoryLayout<Scalar>.size == 4
      ? outputs(of: inputs, as: SIMD8<Scalar>.self) : outputs(of: inputs, as: SIMD4<Scalar>.self)
  }

  /// The derivative of a loss; the closure returns the cotangents `[count][outputs]` for given outputs
  /// `[count][outputs]`.
  ///
  /// - Parameter givesParameters: whether to compute the gradient of the parameters as well as that of the inputs.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func gradient(
    at inputs: [Scalar], givesParameters: Bool = true, cotangents: ([Scalar]) throws -> [Scalar]
  ) rethrows -> DenseGradient<Scalar> {
    guard !network.widths.isEmpty else {
      return DenseGradient(outputs: inputs, parameters: [], inputs: try cotangents(inputs))
    }
    return MemoryLayout<Scalar>.size == 4
      ? try gradient(at: inputs, givesParameters, cotangents, as: SIMD8<Scalar>.self)
      : try gradient(at: inputs, givesParameters, cotangents, as: SIMD4<Scalar>.self)
  }

  private func outputs<V: LaneVector>(of inputs: [Scalar], as _: V.Type) -> [Scalar] where V.Scalar == Scalar {
    let count = sampleCount(of: inputs)
    var outputs = [Scalar](repeating: 0, count: count * network.outputDimension)
    // Tiles of one size share their panels.
    var tile: DenseTile<V>?
    for samples in Self.tiles(of: count) {
      let present = tile?.capacity ?? 0 >= samples.count ? tile : nil
      let current = present ?? DenseTile<V>(self, capacity: samples.count)
      current.evaluate(inputs, samples)
      current.write(current.values.last, to: &outputs, samples)
      tile = current
    }
    return outputs
  }

  private func gradient<V: LaneVector>(
    at inputs: [Scalar], _ givesParameters: Bool, _ cotangents: ([Scalar]) throws -> [Scalar], as _: V.Type
  ) rethrows -> DenseGradient<Scalar> where V.Scalar == Scalar {
    let count = sampleCount(of: inputs)
    var outputs = [Scalar](repeating: 0, count: count * network.outputDimension)
    let tiles = Self.tiles(of: count).map { samples in
      let tile = DenseTile<V>(self, capacity: samples.count, keepsSlopes: true)
      tile.evaluate(inputs, samples)
      tile.write(tile.values.last, to: &outputs, samples)
      return (tile: tile, samples: samples)
    }
    let outputCotangents = try cotangents(outputs)
    precondition(
      outputCotangents.count == outputs.count, "\(outputCotangents.count) cotangents of \(outputs.count) outputs")
    let sums = givesParameters ? DenseSums<V>(network) : nil
    var inputCotangents = [Scalar](repeating: 0, count: inputs.count)
    for (tile, samples) in tiles { tile.reverse(outputCotangents, samples, into: sums, &inputCotangents) }
    return DenseGradient(outputs: outputs, parameters: sums?.flatten() ?? [], inputs: inputCotangents)
  }

  /// Number of samples in one tile: its panels of usual widths fit the first-level cache.
  private static var tileSize: Int { 64 }

  private static func tiles(of count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: tileSize).map { $0..<min($0 + tileSize, count) }
  }

  private func sampleCount(of inputs: [Scalar]) -> Int {
    precondition(
      inputs.count % network.inputDimension == 0, "\(inputs.count) inputs in rows of \(network.inputDimension)")
    return inputs.count / network.inputDimension
  }
}
