import FieldPrograms

/// Data that were counted in levels `k = 0, 1, …, levels − 1`, and are made continuous by `x = (k + u) / levels` with `u`
/// uniform on `[0, 1)`.
///
/// Without the noise a density model may put an infinite spike on each level. With it, the mean log-density of x is a
/// lower bound of the levels' own log-probability (Theis, van den Oord and Bethge, ICLR 2016).
public struct Quantisation: Sendable, Equatable, Codable {
  public let levels: Int

  public init(levels: Int) {
    precondition(levels >= 2, "\(levels) levels, must be at least 2")
    self.levels = levels
  }

  /// The epoch whose noise every evaluation uses, so that figures can be compared: the last there is.
  public static let evaluationEpoch: UInt64 = 1 << 44 - 1

  /// `(k + u) / levels` for every value of `points`.
  ///
  /// - Parameter identifiers: `[count]`. Noise is keyed by (seed, epoch, identifier, dimension): a sample keeps its noise
  ///   wherever it stands in whichever batch.
  public func dequantise(
    _ points: SampleMatrix, identifiers: [UInt64], seed: UInt64, epoch: UInt64
  ) -> SampleMatrix {
    precondition(
      identifiers.count == points.count, "\(identifiers.count) identifiers for \(points.count) samples")
    let source = RandomSource(seed: seed, stream: .data, step: epoch)
    let dimension = points.dimension
    var result = points
    for sample in 0..<points.count {
      for block in 0..<(dimension + 3) / 4 {
        let words = source.words(sample: identifiers[sample], block: UInt32(block))
        for lane in 0..<min(4, dimension - 4 * block) {
          let index = sample * dimension + 4 * block + lane
          let level = Double(points.values[index])
          result.values[index] = Float((level + Double(words[lane]) * 0x1p-32) / Double(levels))
        }
      }
    }
    return result
  }
}
