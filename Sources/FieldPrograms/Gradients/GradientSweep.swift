/// One backward sweep over the operations of a potential. It appends the operations that compute the gradient.
struct GradientSweep {
  /// `∂(potential)/∂(block)`.
  private enum Cotangent {
    /// The same number in every row.
    case constant(Double)
    /// A block of one row: the cotangent of every row.
    case row(FieldProgram.Block)
    /// A block with one row per row of the block.
    case rows(FieldProgram.Block)
  }

  private(set) var program: FieldProgram
  private let potential: FieldProgram.Block
  private let variables: [FieldProgram.Block]
  /// The cotangents of the blocks up to the potential, as far as they are summed; nil for zero.
  private var cotangents: [Cotangent?]
  /// For each block, whether it depends on a variable. Only these blocks need cotangents.
  private let depends: [Bool]

  init(program: FieldProgram, potential: FieldProgram.Block, variables: [FieldProgram.Block]) {
    precondition(
      variables.allSatisfy { $0.index < potential.index && program.blockRows.indices.contains($0.index) },
      "the variables are the blocks \(variables.map(\.index)), must be before the potential, block \(potential.index)")
    self.program = program
    self.potential = potential
    self.variables = variables
    cotangents = Array(repeating: nil, count: potential.index + 1)
    cotangents[potential.index] = .constant(1)
    var depends = Array(repeating: false, count: potential.index + 1)
    for block in 0...potential.index {
      depends[block] =
        variables.contains { $0.index == block }
        || (block > 0 && program.operations[block - 1].inputs.contains { depends[$0.index] })
    }
    self.depends = depends
  }

  mutating func run() throws(DerivativeError) -> [FieldProgram.Block] {
    for number in (0..<potential.index).reversed() where depends[number + 1] {
      guard let cotangent = cotangents[number + 1] else { continue }
      try reverse(program.operations[number], number, cotangent)
    }
    return variables.map { materialised(cotangents[$0.index] ?? .constant(0), like: $0) }
  }

  private mutating func reverse(
    _ operation: FieldProgram.Operation, _ number: Int, _ cotangent: Cotangent
  ) throws(DerivativeError) {
    let output = FieldProgram.Block(index: number + 1)
    switch operation {
    case .linear(let input, _, let activation):
      guard depends[input.index] else { return }
      let slope = try program.appendDerivative(of: activation, input: nil, output: output)
      let before = materialised(product(cotangent, with: slope, of: output), like: output)
      add(.rows(program.append(.transposed(input: before, weightsOf: output))), to: input)
    case .activation(let input, let activation):
      let slope = try program.appendDerivative(of: activation, input: input, output: output)
      add(product(cotangent, with: slope, of: output), to: input)
    case .time, .context: return
    case .add(let first, let second):
      add(cotangent, to: first)
      add(cotangent, to: second)
    case .concatenate(let first, let second):
      let split = program.blockRows[first.index]
      add(part(cotangent, from: 0, of: first), to: first)
      add(part(cotangent, from: split, of: second), to: second)
    case .multiply(let first, let second):
      if depends[first.index] { add(product(cotangent, with: second, of: first), to: first) }
      guard depends[second.index] else { return }
      let back = product(cotangent, with: first, of: output)
      let isRow = program.blockRows[second.index] < program.blockRows[first.index]
      add(isRow ? total(back, of: output) : back, to: second)
    case .slice(let input, let first, let rows):
      add(.rows(padded(materialised(cotangent, like: output), from: first, rows: rows, to: input)), to: input)
    case .scale(let input, let factor, _): add(scaled(cotangent, by: factor), to: input)
    case .sum(let input):
      if case .rows(let row) = cotangent { add(.row(row), to: input) } else { add(cotangent, to: input) }
    case .transposed: throw .operation("transposed product")
    case .layerNorm: throw .operation("layer norm")
    case .dropout: throw .operation("dropout")
    case .callback(_, _, let callback): throw .operation("callback (\(callback.name))")
    }
  }

  // MARK: Arithmetic of cotangents

  private mutating func add(_ cotangent: Cotangent, to block: FieldProgram.Block) {
    guard depends[block.index] else { return }
    guard let sumSoFar = cotangents[block.index] else {
      cotangents[block.index] = cotangent
      return
    }
    switch (sumSoFar, cotangent) {
    case (.constant(let a), .constant(let b)): cotangents[block.index] = .constant(a + b)
    case (.row(let a), .row(let b)): cotangents[block.index] = .row(program.append(.add(a, b)))
    case (.constant(let a), .row(let b)), (.row(let b), .constant(let a)):
      cotangents[block.index] = .row(program.append(.scale(input: b, by: 1, plus: a)))
    case (.constant(let a), .rows(let b)), (.rows(let b), .constant(let a)):
      cotangents[block.index] = .rows(program.append(.scale(input: b, by: 1, plus: a)))
    default:
      let sum = program.append(.add(materialised(sumSoFar, like: block), materialised(cotangent, like: block)))
      cotangents[block.index] = .rows(sum)
    }
  }

  /// `cotangent ∘ factor`. `factor` has as many rows as `block` or one row; nil stands for 1.
  private mutating func product(
    _ cotangent: Cotangent, with factor: FieldProgram.Block?, of block: FieldProgram.Block
  ) -> Cotangent {
    guard let factor else { return cotangent }
    let isRow = program.blockRows[factor.index] < program.blockRows[block.index]
    switch cotangent {
    case .constant(let number):
      let scaled = number == 1 ? factor : program.append(.scale(input: factor, by: number))
      return isRow ? .row(scaled) : .rows(scaled)
    case .row(let row):
      let product = program.append(.multiply(factor, row))
      return isRow ? .row(product) : .rows(product)
    case .rows(let rows): return .rows(program.append(.multiply(rows, factor)))
    }
  }

  private mutating func scaled(_ cotangent: Cotangent, by factor: Double) -> Cotangent {
    switch cotangent {
    case .constant(let number): .constant(factor * number)
    case .row(let row): .row(program.append(.scale(input: row, by: factor)))
    case .rows(let rows): .rows(program.append(.scale(input: rows, by: factor)))
    }
  }

  /// The sum of the cotangent over the rows of `block`, one row.
  private mutating func total(_ cotangent: Cotangent, of block: FieldProgram.Block) -> Cotangent {
    let count = Double(program.blockRows[block.index])
    switch cotangent {
    case .constant(let number): return .constant(count * number)
    case .row(let row): return .rows(program.append(.scale(input: row, by: count)))
    case .rows(let rows): return .rows(program.append(.sum(input: rows)))
    }
  }

  /// The part of the cotangent that belongs to `block`, which begins at row `first` of a concatenation.
  private mutating func part(_ cotangent: Cotangent, from first: Int, of block: FieldProgram.Block) -> Cotangent {
    guard case .rows(let rows) = cotangent, depends[block.index] else { return cotangent }
    return .rows(program.append(.slice(input: rows, first: first, rows: program.blockRows[block.index])))
  }

  /// A block with as many rows as `block`: `rows` from row `first` on, and zeros elsewhere.
  private mutating func padded(
    _ rows: FieldProgram.Block, from first: Int, rows count: Int, to block: FieldProgram.Block
  ) -> FieldProgram.Block {
    let rowsAfter = program.blockRows[block.index] - first - count
    var result = rows
    if first > 0 { result = program.append(.concatenate(zeros(of: block, from: 0, rows: first), result)) }
    if rowsAfter > 0 {
      result = program.append(.concatenate(result, zeros(of: block, from: first + count, rows: rowsAfter)))
    }
    return result
  }

  private mutating func zeros(of block: FieldProgram.Block, from first: Int, rows: Int) -> FieldProgram.Block {
    program.append(.scale(input: program.append(.slice(input: block, first: first, rows: rows)), by: 0))
  }

  /// The cotangent as a block with as many rows as `block`. One constant row is computed from the time, because the
  /// tangent of the time is always 0.
  private mutating func materialised(
    _ cotangent: Cotangent, like block: FieldProgram.Block
  ) -> FieldProgram.Block {
    switch cotangent {
    case .rows(let rows): return rows
    case .constant(let number):
      if program.blockRows[block.index] > 1 { return program.append(.scale(input: block, by: 0, plus: number)) }
      return program.append(.scale(input: program.append(.time), by: 0, plus: number))
    case .row(let row):
      if program.blockRows[block.index] == 1 { return row }
      let ones = program.append(.scale(input: block, by: 0, plus: 1))
      return program.append(.multiply(ones, row))
    }
  }
}
