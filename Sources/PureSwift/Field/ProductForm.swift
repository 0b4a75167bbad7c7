import FieldPrograms

/// Nets whose trace is a product of activation derivatives with a constant matrix: the input is x, or x before t and
/// context; then at most two hidden layers and a linear layer without a nonlinearity.
///
/// With d₁, d₂ the activations' derivatives, tr(∂f/∂x) = d₂ᵀ M d₁:
/// - two hidden layers: M = W₂ ∘ (W₁ₓ W₃)ᵀ, `[H2][H1]`, W₁ₓ the columns of W₁ that see x;
/// - one: M = the diagonal of W₁ₓ W₂ as a row, `[1][H1]`, and d₂ = 1;
/// - none: M = tr(Wₓ), `[1][1]`, and d₁ = d₂ = 1.
struct ProductForm: Sendable {
  /// The operations of the linear layers, first to last: one, two or three.
  let operations: [Int]
  /// Their numbers among the linear operations.
  let layers: [Int]

  /// nil if the program does not fit.
  init?(_ program: FieldProgram) {
    var operations: [Int] = []
    var block = program.operations.count
    while block > 0, case .linear(let input, _, let activation) = program.operations[block - 1] {
      if operations.isEmpty && activation != .identity { return nil }
      operations.insert(block - 1, at: 0)
      block = input.index
    }
    guard (1...3).contains(operations.count), Self.isInput(block, of: program) else { return nil }
    self.operations = operations
    self.layers = operations.map { operation in
      program.operations[..<operation].reduce(0) { count, earlier in
        if case .linear = earlier { count + 1 } else { count }
      }
    }
  }

  /// Whether a block is the state, or begins with the state and continues with rows that do not depend on it.
  private static func isInput(_ block: Int, of program: FieldProgram) -> Bool {
    if block == 0 { return true }
    guard case .concatenate(let first, let second) = program.operations[block - 1] else { return false }
    return !program.dependsOnState[second.index] && isInput(first.index, of: program)
  }

  var hiddenLayers: Int { operations.count - 1 }

  /// Rows and columns of M.
  func shape(in program: FieldProgram) -> (rows: Int, columns: Int) {
    func width(_ hidden: Int) -> Int { program.blockRows[operations[hidden] + 1] }
    return switch hiddenLayers {
    case 0: (1, 1)
    case 1: (1, width(0))
    default: (width(1), width(0))
    }
  }

  /// Multiply-adds of one evaluation.
  func cost(in program: FieldProgram) -> Int {
    if hiddenLayers == 0 { return 0 }
    let shape = shape(in: program)
    return shape.rows * shape.columns
  }
}
