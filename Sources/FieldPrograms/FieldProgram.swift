/// A vector field `dx/dt = f(x, t; θ)` as a straight-line program over blocks of rows.
///
/// Block 0 is the state `x` (`stateDimension` rows). Each operation makes the next block from blocks before it; the last
/// block is `dx/dt` and has `stateDimension` rows. Both the C kernels and `PureSwift` run this program.
///
/// Parameters are one flat array, operation after operation: a linear one's weight `[rows][columns]` row-major, then its
/// bias `[rows]`, which is the order of a PyTorch `nn.Sequential`'s state_dict; a norm's gain and bias, `[rows]` each; a
/// callback's own parameters.
public struct FieldProgram: Sendable, Equatable {
  /// A block of rows: the state, or an operation's result.
  public struct Block: Sendable, Equatable, Hashable {
    public let index: Int
    public init(index: Int) { self.index = index }
    public static let state = Block(index: 0)
  }

  public enum Operation: Sendable, Equatable {
    /// `activation(W · input + b)`, with `W` of `rows × rows(input)`.
    case linear(input: Block, rows: Int, activation: Activation)
    /// `activation(input)`, row by row.
    case activation(input: Block, Activation)
    /// One row: the time `t`.
    case time
    /// `first + second`: a residual connection.
    case add(Block, Block)
    /// The rows of `first`, then those of `second`.
    case concatenate(Block, Block)
    /// `rows` rows that the host computes of `input` and `t`.
    case callback(input: Block, rows: Int, FieldCallback)
    /// `first · second`, row by row; where `second` has one row, by that.
    case multiply(Block, Block)
    /// `rows` rows of `input`, from its row `first` on.
    case slice(input: Block, first: Int, rows: Int)
    /// `rows` rows that are given with every sample and stay the same over its solve: `SolveProblem.context`.
    case context(rows: Int)
    /// `gain · (input − mean) / √(variance + epsilon) + bias`, mean and variance over the rows of a sample; PyTorch's LayerNorm
    /// (Ba, Kiros, Hinton 2016, arXiv 1607.06450).
    case layerNorm(input: Block, epsilon: Double = 1e-5)
    /// Each row of `input` dropped (0) with probability `rate`, else over `1 − rate`: one mask for a sample's whole solve,
    /// where `SolveProblem.dropoutIsActive`; else `input` (Srivastava et al. 2014, Journal of Machine Learning Research 15).
    case dropout(input: Block, rate: Double)
    /// `factor · input + offset`, by constants.
    case scale(input: Block, by: Double, plus: Double = 0)
    /// `Wᵀ · input` without bias, `W` being the weights of the linear operation that made `weightsOf`: θ has them once, and their
    /// gradient is the sum of both uses. Gradients of potentials are made of it.
    case transposed(input: Block, weightsOf: Block)
    /// One row: the sum of the rows of `input`.
    case sum(input: Block)
  }

  /// Where one linear operation keeps its parameters in the flat array.
  public struct LinearLayout: Sendable, Equatable {
    /// Number of the operation in `operations`.
    public let operation: Int
    public let rows: Int
    public let columns: Int
    public let weightOffset: Int
    public let biasOffset: Int
  }

  /// Where one callback keeps its parameters in the flat array.
  public struct CallbackLayout: Sendable, Equatable {
    /// Number of the operation in `operations`.
    public let operation: Int
    public let rows: Int
    /// Rows of the input.
    public let columns: Int
    public let offset: Int
    public let callback: FieldCallback
  }

  public let stateDimension: Int
  public private(set) var operations: [Operation]
  /// Rows of every block, the state first: `operations.count + 1` numbers.
  public private(set) var blockRows: [Int]

  /// An empty program over a state of `stateDimension ≥ 1` rows.
  public init(stateDimension: Int) {
    precondition(stateDimension >= 1, "stateDimension is \(stateDimension), must be at least 1")
    self.stateDimension = stateDimension
    self.operations = []
    self.blockRows = [stateDimension]
  }

  /// Appends `operation`; returns the block it makes. Shapes that do not fit are a programmer's error.
  @discardableResult
  public mutating func append(_ operation: Operation) -> Block {
    if case .context(let rows) = operation, contextDimension > 0 {
      precondition(
        rows == contextDimension,
        "operation \(operations.count) reads a context of \(rows) rows, not \(contextDimension)")
    }
    let rows =
      if case .transposed(let input, let weights) = operation {
        rowsOfTransposed(input, weights)
      } else {
        Self.rows(of: operation, blockRows: blockRows, number: operations.count)
      }
    blockRows.append(rows)
    operations.append(operation)
    return Block(index: operations.count)
  }

  /// The columns of the linear operation that made `weights`.
  private func rowsOfTransposed(_ input: Block, _ weights: Block) -> Int {
    if let problem = problemOfTransposing(input, weightsOf: weights) {
      preconditionFailure("operation \(operations.count) \(problem)")
    }
    guard let source = linearInput(of: weights) else { preconditionFailure("problemOfTransposing knows these") }
    return blockRows[source.index]
  }

  /// Why the next operation cannot be `transposed` of these blocks, with both shapes where they do not fit; nil where it can.
  public func problemOfTransposing(_ input: Block, weightsOf weights: Block) -> String? {
    guard blockRows.indices.contains(input.index) else {
      return "reads block \(input.index), which does not exist before it"
    }
    guard linearInput(of: weights) != nil else {
      return "takes the weights of block \(weights.index), which no linear operation made"
    }
    let (rows, own) = (blockRows[weights.index], blockRows[input.index])
    return rows == own ? nil : "multiplies the transpose of weights of \(rows) rows with a block of \(own)"
  }

  /// What the linear operation that made `block` reads; nil where no linear operation made it.
  public func linearInput(of block: Block) -> Block? {
    guard operations.indices.contains(block.index - 1),
      case .linear(let input, _, _) = operations[block.index - 1]
    else { return nil }
    return input
  }

  /// Rows of an operation's result, given those of the blocks before it.
  private static func rows(of operation: Operation, blockRows: [Int], number: Int) -> Int {
    func rows(_ block: Block) -> Int {
      precondition(
        blockRows.indices.contains(block.index),
        "operation \(number) (\(operation)) reads block \(block.index), which does not exist before it")
      return blockRows[block.index]
    }
    switch operation {
    case .linear(let input, let count, _), .callback(let input, let count, _):
      precondition(count >= 1, "operation \(number) (\(operation)) has \(count) rows, must be at least 1")
      _ = rows(input)
      return count
    case .activation(let input, _): return rows(input)
    case .time: return 1
    case .add(let first, let second):
      precondition(
        rows(first) == rows(second),
        "operation \(number) adds blocks of \(rows(first)) and \(rows(second)) rows")
      return rows(first)
    case .concatenate(let first, let second): return rows(first) + rows(second)
    case .multiply(let first, let second):
      precondition(
        rows(second) == rows(first) || rows(second) == 1,
        "operation \(number) multiplies blocks of \(rows(first)) and \(rows(second)) rows")
      return rows(first)
    case .slice(let input, let first, let count):
      precondition(
        first >= 0 && count >= 1 && first + count <= rows(input),
        "operation \(number) takes rows \(first)..<\(first + count) of a block of \(rows(input))")
      return count
    case .context(let count):
      precondition(count >= 1, "operation \(number) (\(operation)) has \(count) rows, must be at least 1")
      return count
    case .layerNorm(let input, let epsilon):
      precondition(
        epsilon > 0 && epsilon.isFinite, "operation \(number) has epsilon \(epsilon), must be above 0 and finite")
      return rows(input)
    case .dropout(let input, let rate):
      precondition((0..<1).contains(rate), "operation \(number) drops at rate \(rate), must be in [0, 1)")
      return rows(input)
    case .scale(let input, let factor, let offset):
      precondition(
        factor.isFinite && offset.isFinite,
        "operation \(number) scales by \(factor) and adds \(offset), must be finite")
      return rows(input)
    case .sum(let input):
      _ = rows(input)
      return 1
    case .transposed: preconditionFailure("rowsOfTransposed knows these")
    }
  }

  /// The linear operations' places in the parameter array, in order.
  public var linearLayouts: [LinearLayout] {
    let offsets = parameterOffsets
    return operations.indices.compactMap { number in
      guard case .linear(let input, let rows, _) = operations[number] else { return nil }
      let columns = blockRows[input.index]
      return LinearLayout(
        operation: number, rows: rows, columns: columns, weightOffset: offsets[number],
        biasOffset: offsets[number] + rows * columns)
    }
  }

  /// The callbacks' places in the parameter array, in order.
  public var callbackLayouts: [CallbackLayout] {
    let offsets = parameterOffsets
    return operations.indices.compactMap { number in
      guard case .callback(let input, let rows, let callback) = operations[number] else { return nil }
      return CallbackLayout(
        operation: number, rows: rows, columns: blockRows[input.index], offset: offsets[number], callback: callback)
    }
  }

  /// `P`, the length of the flat parameter array.
  public var parameterCount: Int { parameterOffsets[operations.count] }

  /// Where each operation's parameters begin in the flat array, and where the last one's end.
  var parameterOffsets: [Int] {
    var offsets = [0]
    for operation in operations {
      let count =
        switch operation {
        case .linear(let input, let rows, _): rows * (blockRows[input.index] + 1)
        case .callback(_, _, let callback): callback.parameterCount
        case .layerNorm(let input, _): 2 * blockRows[input.index]
        case .activation, .time, .add, .concatenate, .multiply, .slice, .context, .dropout, .scale, .transposed,
          .sum:
          0
        }
      offsets.append(offsets[offsets.count - 1] + count)
    }
    return offsets
  }

  /// Whether the last block can be `dx/dt`: there is an operation, and it has `stateDimension` rows.
  public var isComplete: Bool { !operations.isEmpty && blockRows.last == stateDimension }
}

extension FieldProgram {
  /// The multilayer perceptron of the literature: `[x, t]` into hidden layers, a linear layer out.
  ///
  /// - Parameter hidden: widths of the hidden layers; empty for an affine field.
  public static func multilayerPerceptron(
    stateDimension: Int, hidden: [Int], activation: Activation, seesTime: Bool = true
  ) -> FieldProgram {
    var program = FieldProgram(stateDimension: stateDimension)
    var block = Block.state
    if seesTime {
      let time = program.append(.time)
      block = program.append(.concatenate(block, time))
    }
    for width in hidden {
      block = program.append(.linear(input: block, rows: width, activation: activation))
    }
    program.append(.linear(input: block, rows: stateDimension, activation: .identity))
    return program
  }
}
