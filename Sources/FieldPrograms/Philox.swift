/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3" (SC 2011). A number depends only on its counter and key, and not on the order of calls.
///
/// The C library has its own implementation, which draws the probes of its solves. A test checks that both are equal.
public enum Philox {
  /// The four words after ten rounds on `counter` with `key`.
  public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var x = counter
    var k = key
    for round in 0..<10 {
      if round > 0 { k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85) }
      let first = UInt64(0xD251_1F53) * UInt64(x.x)
      let second = UInt64(0xCD9E_8D57) * UInt64(x.z)
      x = SIMD4(
        UInt32(truncatingIfNeeded: second >> 32) ^ x.y ^ k.x, UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ x.w ^ k.y, UInt32(truncatingIfNeeded: first))
    }
    return x
  }
}

/// The purpose of a stream of random numbers. Different streams of one seed never share numbers.
public enum RandomStream: UInt32, Sendable {
  case probe = 0
  case base = 1
  case shuffle = 2
  case initial = 3
  case data = 4
  case dropout = 5
  /// Times and noise of flow matching. This and the following streams are in the range that C leaves to its users.
  case path = 16
  /// Random end times of solves in training.
  case endTime = 17
  /// Times and noise of score matching.
  case diffusion = 32
  /// Noise of the steps of the reverse diffusion.
  case reverseDiffusion = 33
}

/// Random numbers, each of which is a function of (seed, stream, step, sample, dimension).
public struct RandomSource: Sendable {
  public let seed: UInt64
  public let stream: UInt32
  /// Below 2⁴⁴.
  public let step: UInt64

  public init(seed: UInt64, stream: RandomStream, step: UInt64 = 0) {
    precondition(step < 1 << 44, "the step of a random source is \(step), must be below 2^44")
    self.seed = seed
    self.stream = stream.rawValue
    self.step = step
  }

  /// The four 32-bit words for dimensions `4 · block ..< 4 · block + 4` of `sample`, which is below 2⁴⁴.
  public func words(sample: UInt64, block: UInt32) -> SIMD4<UInt32> {
    let high = stream << 24 | UInt32(sample >> 32 & 0xFFF) << 12 | UInt32(step >> 32 & 0xFFF)
    return Philox.block(
      counter: SIMD4(block, UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: step), high),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
  }

  /// The 32-bit word for one dimension of `sample`.
  public func word(sample: UInt64, dimension: Int) -> UInt32 {
    words(sample: sample, block: UInt32(dimension / 4))[dimension % 4]
  }

  /// A uniform number on `[0, 1)`, a multiple of 2⁻³².
  public func uniform(sample: UInt64, dimension: Int) -> Double {
    Double(word(sample: sample, dimension: dimension)) * 0x1p-32
  }

  /// −1 or 1, with equal probability.
  public func rademacher(sample: UInt64, dimension: Int) -> Double {
    word(sample: sample, dimension: dimension) >> 31 == 1 ? 1 : -1
  }
}
