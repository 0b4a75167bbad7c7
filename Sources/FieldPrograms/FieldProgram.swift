/// A vector field `dx/dt = f(x, t; θ)` as a straight-line program over blocks of rows.
///
/// Block 0 is the state `x` (`stateDimension` rows). Each operation computes the next block from earlier blocks. The
/// last block is `dx/dt` and has `stateDimension` rows. Both the C kernels and `PureSwift` run this program.
///
/// The parameters are one flat array, operation after operation. A linear operation has its weight `[rows][columns]`
/// row-major, then its bias `[rows]`, as in the state_dict of a PyTorch `nn.Sequential`. A layer norm has its gain and
/// its bias, `[rows]` each. A callback has the parameters it declares.
public struct FieldProgram: Sendable, Equatable {
  /// A block of rows: the state, or the result of an operation.
  public struct Block: Sendable, Equatable, Hashable {
    public let index: Int
    public init(index: Int) { self.index = index }
    public static let state = Block(index: 0)
  }

  public enum Operation: Sendable, Equatable {
    /// `activation(W · input + b)`, where `W` is `rows × rows(input)`.
    case linear(input: Block, rows: Int, activation: Activation)
    /// `activation(input)`, row by row.
    case activation(input: Block, Activation)
    /// One row: the time `t`.
    case time
    /// `first + second`: a residual connection.
    case add(Block, Block)
    /// The rows of `first`, then those of `second`.
    case concatenate(Block, Block)
    /// `rows` rows that a callback computes from `input` and `t`.
    case callback(input: Block, rows: Int, FieldCallback)
    /// `first · second`, row by row. If `second` has one row, it multiplies every row of `first`.
    case multiply(Block, Block)
    /// The rows `first ..< first + rows` of `input`.
    case slice(input: Block, first: Int, rows: Int)
    /// The context: `rows` rows that every sample has and that are constant during its solve (`SolveProblem.context`).
    case context(rows: Int)
    /// `gain · (input − mean) / √(variance + epsilon) + bias`, with mean and variance over the rows of a sample. This
    /// is PyTorch's LayerNorm (Ba, Kiros, Hinton 2016, arXiv 1607.06450).
    case layerNorm(input: Block, epsilon: Double = 1e-5)
    /// Sets each row of `input` to 0 with probability `rate`, and divides the other rows by `1 − rate` (Srivastava et
    /// al. 2014, Journal of Machine Learning Research 15).
    ///
    /// Each sample has one mask for its whole solve. Unless `SolveProblem.dropoutIsActive`, the result is `input`.
    case dropout(input: Block, rate: Double)
    /// `factor · input + offset` with constant `factor` and `offset`.
    case scale(input: Block, by: Double, plus: Double = 0)
    /// `Wᵀ · input` without bias, where `W` are the weights of the linear operation that computed `weightsOf`.
    ///
    /// The parameters contain `W` once, and its gradient is the sum over both uses. Gradients of potentials need this
    /// operation.
    case transposed(input: Block, weightsOf: Block)
    /// One row: the sum of the rows of `input`.
    case sum(input: Block)
  }

  /// The place of one linear operation's parameters in the flat array.
  public struct LinearLayout: Sendable, Equatable {
    /// The index of the operation in `operations`.
    public let operation: Int
    public let rows: Int
    public let columns: Int
    public let weightOffset: Int
    public let biasOffset: Int
  }

  /// The place of one callback's parameters in the flat array.
  public struct CallbackLayout: Sendable, Equatable {
    /// The index of the operation in `operations`.
    public let operation: Int
    public let rows: Int
    /// The number of rows of the input.
    public let columns: Int
    public let offset: Int
    public let callback: FieldCallback
  }

  public let stateDimension: Int
  public private(set) var operations: [Operation]
  /// The number of rows of every block, the state first: `[operations.count + 1]`.
  public private(set) var blockRows: [Int]

  /// An empty program over a state of `stateDimension ≥ 1` rows.
  public init(stateDimension: Int) {
    precondition(stateDimension >= 1, "stateDimension is \(stateDimension), must be at least 1")
    self.stateDimension = stateDimension
    self.operations = []
    self.blockRows = [stateDimension]
  }

  /// Appends `operation` and returns its result as a block. Stops the program if shapes do not fit.
  @discardableResult
  public mutating func append(_ operation: Operation) -> Block {
    if case .context(let rows) = operation, contextDimension > 0 {
      precondition(
        rows == contextDimension,
        "operation \(operations.count) reads a context of \(rows) rows, but an earlier one of \(contextDimension)")
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

  /// The rows of `transposed`: the columns of the linear operation that computed `weights`.
  private func rowsOfTransposed(_ input: Block, _ weights: Block) -> Int {
    if let problem = problemOfTransposing(input, weightsOf: weights) {
      preconditionFailure("operation \(operations.count) \(problem)")
    }
    guard let source = linearInput(of: weights) else { preconditionFailure("problemOfTransposing has checked this") }
    return blockRows[source.index]
  }

  /// The reason why the next operation cannot be `transposed` of these blocks, with the shapes if they do not fit; nil
  /// if it can.
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

  /// The input of the linear operation that computed `block`; nil if another operation did.
  public func linearInput(of block: Block) -> Block? {
    guard operations.indices.contains(block.index - 1),
      case .linear(let input, _, _) = operations[block.index - 1]
    else { return nil }
    return input
  }

  /// The number of rows of an operation's result.
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
        "operation \(number) adds blocks of \(rows(first)) and \(rows(second)) rows, must be the same number")
      return rows(first)
    case .concatenate(let first, let second): return rows(first) + rows(second)
    case .multiply(let first, let second):
      precondition(
        rows(second) == rows(first) || rows(second) == 1,
        "operation \(number) multiplies blocks of \(rows(first)) and \(rows(second)) rows, must be the same number, "
          + "or the second 1")
      return rows(first)
    case .slice(let input, let first, let count):
      precondition(
        first >= 0 && count >= 1 && first + count <= rows(input),
        "operation \(number) takes the rows \(first)..<\(first + count) of a block that has \(rows(input)) rows")
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
    case .transposed: preconditionFailure("rowsOfTransposed gives the rows of this operation")
    }
  }

  /// The places of the linear operations' parameters in the flat array, in order.
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

  /// The places of the callbacks' parameters in the flat array, in order.
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

  /// The offset of each operation's parameters in the flat array, and last the total number of parameters.
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

  /// Whether the last block can be `dx/dt`: there is an operation, and the last one has `stateDimension` rows.
  public var isComplete: Bool { !operations.isEmpty && blockRows.last == stateDimension }
}

extension FieldProgram {
  /// A multilayer perceptron: `[x, t]` as input, hidden layers, and a linear layer as output.
  ///
  /// - Parameters:
  ///   - hidden: the widths of the hidden layers; empty for an affine field.
  ///   - seesTime: whether t is an input.
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
