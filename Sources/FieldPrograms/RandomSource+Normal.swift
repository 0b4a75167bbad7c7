import CLibrary

extension RandomSource {
  /// A standard normal number, by the Box-Muller transform of the pair of words that `dimension` belongs to.
  public func normal(sample: UInt64, dimension: Int) -> Double {
    let four = words(sample: sample, block: UInt32(dimension / 4))
    let pair = dimension % 4 / 2 * 2
    let radius = (-2 * log((Double(four[pair]) + 1) * 0x1p-32)).squareRoot()
    let angle = 2 * Double.pi * (Double(four[pair + 1]) * 0x1p-32)
    return dimension % 2 == 0 ? radius * cos(angle) : radius * sin(angle)
  }
}

/// A `RandomNumberGenerator` that draws from one source, for shuffles and random choices.
public struct PhiloxGenerator: RandomNumberGenerator, Sendable {
  private let source: RandomSource
  private var position: UInt64 = 0

  public init(_ source: RandomSource) { self.source = source }

  public mutating func next() -> UInt64 {
    let four = source.words(sample: position / 2, block: 0)
    defer { position += 1 }
    return position % 2 == 0
      ? UInt64(four.x) | UInt64(four.y) << 32
      : UInt64(four.z) | UInt64(four.w) << 32
  }
}
