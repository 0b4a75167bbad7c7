/// A square matrix of costs, `[count][count]`, stored in blocks of eight columns: arrays of vectors need no unsafe
/// pointers, and the compiler can use vector instructions without further proof.
struct AssignmentCosts {
  typealias Block = SIMD8<Double>

  let count: Int
  /// Blocks of one row. Lanes of the last one beyond `count` cost +∞, so that no search takes them.
  let rowBlocks: Int
  /// `[count][rowBlocks]`.
  private(set) var blocks: [Block] = []

  /// - Parameter row: the `blockCount(count)` blocks of a row, by its number.
  init(count: Int, row: (Int) -> [Block]) {
    self.count = count
    rowBlocks = Self.blockCount(count)
    blocks.reserveCapacity(count * rowBlocks)
    for number in 0..<count {
      var values = row(number)
      for lane in count..<max(count, rowBlocks * Block.scalarCount) {
        values[lane / Block.scalarCount][lane % Block.scalarCount] = .infinity
      }
      blocks.append(contentsOf: values)
    }
  }

  /// The costs of every `step`-th row and column.
  func every(_ step: Int) -> AssignmentCosts {
    let places = stride(from: 0, to: count, by: step)
    return AssignmentCosts(count: (count + step - 1) / step) { row in
      Self.blocks(places.map { self[row * step, $0] }, padding: .infinity)
    }
  }

  subscript(row: Int, column: Int) -> Double {
    blocks[row * rowBlocks + column / Block.scalarCount][column % Block.scalarCount]
  }

  static func blockCount(_ count: Int) -> Int { (count + Block.scalarCount - 1) / Block.scalarCount }

  /// `values` in blocks, the last one filled up with `padding`.
  static func blocks(_ values: some Collection<Double>, padding: Double) -> [Block] {
    var blocks = [Block](repeating: Block(repeating: padding), count: blockCount(values.count))
    for (index, value) in values.enumerated() {
      blocks[index / Block.scalarCount][index % Block.scalarCount] = value
    }
    return blocks
  }
}
