import FieldPrograms

/// The levels of quantised data, `k = 0, 1, …, levels − 1`. Dequantisation makes them continuous: `x = (k + u) /
/// levels` with `u` uniform on `[0, 1)`.
///
/// Without this noise a density model can put an infinite spike on each level. With it, the mean log-density of x is a
/// lower bound of the levels' own log-probability (Theis, van den Oord and Bethge, ICLR 2016).
public struct Quantisation: Sendable, Equatable, Codable {
  public let levels: Int

  public init(levels: Int) {
    precondition(levels >= 2, "\(levels) levels, must be at least 2")
    self.levels = levels
  }

  /// The epoch whose noise every evaluation uses, so that results can be compared: the largest epoch number.
  public static let evaluationEpoch: UInt64 = 1 << 44 - 1

  /// `(k + u) / levels` for every value of `samples`.
  ///
  /// - Parameter identifiers: `[count]`. Noise is keyed by (seed, epoch, identifier, dimension), so a sample's noise
  ///   does not depend on its place in a batch.
  public func dequantise(
    _ samples: SampleMatrix, identifiers: [UInt64], seed: UInt64, epoch: UInt64
  ) -> SampleMatrix {
    precondition(
      identifiers.count == samples.count, "\(identifiers.count) identifiers for \(samples.count) samples")
    let source = RandomSource(seed: seed, stream: .data, step: epoch)
    let dimension = samples.dimension
    var result = samples
    for sample in 0..<samples.count {
      for block in 0..<(dimension + 3) / 4 {
        let words = source.words(sample: identifiers[sample], block: UInt32(block))
        for lane in 0..<min(4, dimension - 4 * block) {
          let index = sample * dimension + 4 * block + lane
          let x = (samples.values[index] + Double(words[lane]) * 0x1p-32) / Double(levels)
          // The noise is defined as the float nearest to x.
          result.values[index] = Double(Float(x))
        }
      }
    }
    return result
  }
}
