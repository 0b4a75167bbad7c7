/// Which columns a coupling layer keeps, and which it moves by a function of the kept ones.
public struct CouplingMask: Sendable, Equatable {
  /// Columns that the layer keeps and its net reads, in rising order.
  public let conditioning: [Int]
  /// Columns that it moves, in rising order; every column is in one of the two lists.
  public let transformed: [Int]

  /// - Parameter isTransformed: `[D]`, true for moved columns; both values must occur.
  public init(_ isTransformed: [Bool]) {
    conditioning = isTransformed.indices.filter { !isTransformed[$0] }
    transformed = isTransformed.indices.filter { isTransformed[$0] }
    precondition(
      !conditioning.isEmpty && !transformed.isEmpty, "a mask has to leave a column as it is, and to move one")
  }

  public var dimension: Int { conditioning.count + transformed.count }

  /// The mask with kept and moved columns exchanged.
  public var complement: CouplingMask {
    CouplingMask((0..<dimension).map { conditioning.contains($0) })
  }

  /// Masks of `depth` layers in pairs: the first layer of a pair moves half of the columns, drawn by `seed`, the second
  /// moves the rest, so each pair moves every column. If D is odd, the first moves one column more.
  public static func pairs(dimension: Int, depth: Int, seed: UInt64) -> [CouplingMask] {
    precondition(dimension >= 2, "a coupling flow of \(dimension) dimensions, must be at least 2")
    return (0..<depth).map { layer in
      // Steps of this random stream far above those of any layer's initial parameters.
      let source = RandomSource(seed: seed, stream: .initial, step: 1 << 40 + UInt64(layer / 2))
      var moves = [Bool](repeating: false, count: dimension)
      for column in permutation(count: dimension, from: source).prefix((dimension + 1) / 2) { moves[column] = true }
      let mask = CouplingMask(moves)
      return layer % 2 == 0 ? mask : mask.complement
    }
  }
}

/// Text such as `0110`, with a 1 for a moved column.
extension CouplingMask: CustomStringConvertible {
  public var description: String {
    let moved = Set(transformed)
    return (0..<dimension).map { moved.contains($0) ? "1" : "0" }.joined()
  }

  /// nil if `text` is not a mask.
  init?(_ text: some StringProtocol) {
    guard text.contains("0"), text.contains("1"), text.allSatisfy({ $0 == "0" || $0 == "1" }) else { return nil }
    self.init(text.map { $0 == "1" })
  }
}
