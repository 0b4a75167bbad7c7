extension FieldProgram {
  /// The place of one layer norm's parameters in the flat array.
  public struct NormLayout: Sendable, Equatable {
    /// The index of the operation in `operations`.
    public let operation: Int
    public let rows: Int
    public let gainOffset: Int
    public let biasOffset: Int
    public let epsilon: Double
  }

  /// The place of one dropout's mask. The masks of all dropouts of a sample form one array of rows.
  public struct DropoutLayout: Sendable, Equatable {
    /// The index of the operation in `operations`.
    public let operation: Int
    public let rows: Int
    public let firstMaskRow: Int
    public let rate: Double
  }

  /// The places of the layer norms' parameters in the flat array, in order.
  public var normLayouts: [NormLayout] {
    let offsets = parameterOffsets
    return operations.indices.compactMap { number in
      guard case .layerNorm(_, let epsilon) = operations[number] else { return nil }
      let rows = blockRows[number + 1]
      return NormLayout(
        operation: number, rows: rows, gainOffset: offsets[number], biasOffset: offsets[number] + rows, epsilon: epsilon
      )
    }
  }

  /// The places of the dropouts' masks, in order.
  public var dropoutLayouts: [DropoutLayout] {
    var first = 0
    return operations.indices.compactMap { number in
      guard case .dropout(_, let rate) = operations[number] else { return nil }
      defer { first += blockRows[number + 1] }
      return DropoutLayout(operation: number, rows: blockRows[number + 1], firstMaskRow: first, rate: rate)
    }
  }

  /// C, the number of rows of the context that every sample needs; 0 if the program reads no context.
  public var contextDimension: Int {
    for case .context(let rows) in operations { return rows }
    return 0
  }

  /// The number of multiply-adds of the transposed operations for one sample: Σ rows · columns.
  public var transposedProducts: Int {
    operations.indices.reduce(0) { sum, number in
      guard case .transposed(let input, _) = operations[number] else { return sum }
      return sum + blockRows[number + 1] * blockRows[input.index]
    }
  }

  /// For each block, whether it depends on the state: `[operations.count + 1]`.
  public var dependsOnState: [Bool] {
    var depends = [true]
    for operation in operations {
      depends.append(operation.inputs.contains { depends[$0.index] })
    }
    return depends
  }
}

extension FieldProgram.Operation {
  /// The blocks that the operation reads, in order.
  public var inputs: [FieldProgram.Block] {
    switch self {
    case .linear(let input, _, _), .activation(let input, _), .callback(let input, _, _), .slice(let input, _, _),
      .layerNorm(let input, _), .dropout(let input, _), .scale(let input, _, _), .transposed(let input, _),
      .sum(let input):
      [input]
    case .add(let first, let second), .concatenate(let first, let second), .multiply(let first, let second):
      [first, second]
    case .time, .context: []
    }
  }
}
