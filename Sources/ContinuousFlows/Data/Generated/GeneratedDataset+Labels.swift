import FieldPrograms

extension GeneratedDataset {
  /// The part of the distribution that each of `samples(count:seed:)` belongs to, `[count]`, from 0: arm, Gaussian,
  /// moon, circle or ring; for `concentric` 0 in the disc and 1 in the ring around it. nil for distributions of one
  /// part.
  public func labels(count: Int, seed: UInt64 = 0) -> [UInt8]? {
    // The random word by which `samples` chooses the part, and the number of parts.
    let (number, parts): (Int, Int)
    switch self {
    case .pinwheel: (number, parts) = (0, 5)
    case .eightGaussians: (number, parts) = (0, 8)
    case .moons, .circles, .concentric: (number, parts) = (0, 2)
    case .twoSpirals: (number, parts) = (3, 2)
    case .rings: (number, parts) = (0, 4)
    case .checkerboard, .swissRoll: return nil
    }
    let source = RandomSource(seed: seed, stream: .data)
    return (0..<UInt64(count)).map { UInt8(Draw(source: source, sample: $0).choice(number, of: parts)) }
  }
}
