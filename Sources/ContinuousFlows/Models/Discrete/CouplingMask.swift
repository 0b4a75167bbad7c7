/// Which columns a coupling layer leaves as they are, and which it moves by a function of those.
public struct CouplingMask: Sendable, Equatable {
  /// Columns that the layer's net sees, rising.
  public let conditioning: [Int]
  /// Columns that it moves, rising; together with `conditioning` all of them.
  public let transformed: [Int]

  /// - Parameter isTransformed: `[D]`; some are and some are not.
  public init(_ isTransformed: [Bool]) {
    conditioning = isTransformed.indices.filter { !isTransformed[$0] }
    transformed = isTransformed.indices.filter { isTransformed[$0] }
    precondition(
      !conditioning.isEmpty && !transformed.isEmpty, "a mask has to leave a column as it is, and to move one")
  }

  public var dimension: Int { conditioning.count + transformed.count }

  /// The other way round.
  public var complement: CouplingMask {
    CouplingMask((0..<dimension).map { conditioning.contains($0) })
  }

  /// Masks of `depth` layers, two by two: the first moves half of the columns, drawn by `seed`, the second the rest, so that each
  /// pair of layers has moved every column. Of an odd number of columns the first moves one more.
  public static func pairs(dimension: Int, depth: Int, seed: UInt64) -> [CouplingMask] {
    precondition(dimension >= 2, "a coupling flow of \(dimension) dimensions, must be at least 2")
    return (0..<depth).map { layer in
      // Steps of this stream that are far above those of any layer's initial parameters.
      let source = RandomSource(seed: seed, stream: .initial, step: 1 << 40 + UInt64(layer / 2))
      var moves = [Bool](repeating: false, count: dimension)
      for column in permutation(count: dimension, from: source).prefix((dimension + 1) / 2) { moves[column] = true }
      let mask = CouplingMask(moves)
      return layer % 2 == 0 ? mask : mask.complement
    }
  }
}

/// `0110`: a 1 where a column is moved.
extension CouplingMask: CustomStringConvertible {
  public var description: String {
    let moved = Set(transformed)
    return (0..<dimension).map { moved.contains($0) ? "1" : "0" }.joined()
  }

  /// nil where `text` is no mask.
  init?(_ text: some StringProtocol) {
    guard text.contains("0"), text.contains("1"), text.allSatisfy({ $0 == "0" || $0 == "1" }) else { return nil }
    self.init(text.map { $0 == "1" })
  }
}
