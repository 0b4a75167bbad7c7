import CLibrary
import FieldPrograms

/// The formulas of the distributions. Sample i uses only random numbers keyed by (seed, i), so it does not depend on
/// the count. Parts are drawn for each sample, not dealt out in equal shares.
extension GeneratedDataset {
  /// `count` samples of this distribution, `[count][2]`.
  public func samples(count: Int, seed: UInt64 = 0) -> SampleMatrix {
    let source = RandomSource(seed: seed, stream: .data)
    var values: [Double] = []
    values.reserveCapacity(2 * count)
    for sample in 0..<UInt64(count) {
      let position = position(of: Draw(source: source, sample: sample))
      // These sets are defined as floats.
      values.append(Double(Float(position.x)))
      values.append(Double(Float(position.y)))
    }
    return SampleMatrix(count: count, dimension: 2, values: values)
  }

  /// `count` samples as a data set.
  public func dataset(count: Int, seed: UInt64 = 0) -> Dataset {
    Dataset(
      name: name, samples: samples(count: count, seed: seed), labels: labels(count: count, seed: seed))
  }

  /// The random numbers of one sample.
  struct Draw {
    let source: RandomSource
    let sample: UInt64

    /// Uniform on `[0, 1)`; `number` is from 0 to 3.
    func uniform(_ number: Int) -> Double { source.uniform(sample: sample, dimension: number) }

    /// One of `0 ..< count`.
    func choice(_ number: Int, of count: Int) -> Int { Int(uniform(number) * Double(count)) }

    /// Two standard normal numbers, independent of the uniform ones.
    var normals: SIMD2<Double> {
      SIMD2(source.normal(sample: sample, dimension: 4), source.normal(sample: sample, dimension: 5))
    }
  }

  private static func circle(_ angle: Double) -> SIMD2<Double> { SIMD2(cos(angle), sin(angle)) }

  private func position(of draw: Draw) -> SIMD2<Double> {
    switch self {
    case .pinwheel: Self.pinwheel(draw)
    case .eightGaussians: Self.eightGaussians(draw)
    case .moons: Self.moons(draw)
    case .circles: Self.circles(draw)
    case .checkerboard: Self.checkerboard(draw)
    case .twoSpirals: Self.twoSpirals(draw)
    case .swissRoll: Self.swissRoll(draw)
    case .rings: Self.rings(draw)
    case .concentric: Self.concentric(draw)
    }
  }

  /// A Gaussian at (1, 0) with standard deviations 0.3 along and 0.1 across, rotated by a multiple of a fifth of a
  /// circle and, clockwise, by `exp(its first component) / 4`; scaled by 2.
  private static func pinwheel(_ draw: Draw) -> SIMD2<Double> {
    let arm = draw.normals * SIMD2(0.3, 0.1) + SIMD2(1, 0)
    let turn = circle(2 * .pi / 5 * Double(draw.choice(0, of: 5)) + exp(arm.x) / 4)
    return 2 * SIMD2(arm.x * turn.x + arm.y * turn.y, arm.y * turn.x - arm.x * turn.y)
  }

  /// Centres on a circle of radius 4, standard deviation 0.5; all divided by 1.414.
  private static func eightGaussians(_ draw: Draw) -> SIMD2<Double> {
    let centre = 4 * circle(.pi / 4 * Double(draw.choice(0, of: 8)))
    return (centre + 0.5 * draw.normals) / 1.414
  }

  /// An upper half circle around the origin and a lower one around (1, 0.5), noise 0.1; scaled by 2 and shifted by (−1,
  /// −0.2).
  private static func moons(_ draw: Draw) -> SIMD2<Double> {
    let arc = circle(.pi * draw.uniform(1))
    let moon = draw.choice(0, of: 2) == 0 ? arc : SIMD2(1 - arc.x, 0.5 - arc.y)
    return 2 * (moon + 0.1 * draw.normals) + SIMD2(-1, -0.2)
  }

  /// Radius 1 or 0.5, noise 0.08; scaled by 3.
  private static func circles(_ draw: Draw) -> SIMD2<Double> {
    let radius = draw.choice(0, of: 2) == 0 ? 1.0 : 0.5
    return 3 * (radius * circle(2 * .pi * draw.uniform(1)) + 0.08 * draw.normals)
  }

  /// Uniform on the squares of side 2 in `[−4, 4)²` whose column and row have the same parity.
  private static func checkerboard(_ draw: Draw) -> SIMD2<Double> {
    let x = 4 * draw.uniform(0) - 2
    let column = x.rounded(.down)
    let offset = column - 2 * (column / 2).rounded(.down)
    return 2 * SIMD2(x, draw.uniform(1) - 2 * Double(draw.choice(2, of: 2)) + offset)
  }

  /// Angle and radius `3π √u`, uniform noise of width 0.5 on each axis; scaled by 1/3, with Gaussian noise 0.1. The
  /// second arm is the first one mirrored at the origin.
  private static func twoSpirals(_ draw: Draw) -> SIMD2<Double> {
    let angle = 3 * .pi * draw.uniform(0).squareRoot()
    let arm = SIMD2(-cos(angle), sin(angle)) * angle + 0.5 * SIMD2(draw.uniform(1), draw.uniform(2))
    return (draw.choice(3, of: 2) == 0 ? arm : -arm) / 3 + 0.1 * draw.normals
  }

  /// Angle and radius `1.5π (1 + 2u)`, noise 1; scaled by 1/5.
  private static func swissRoll(_ draw: Draw) -> SIMD2<Double> {
    let angle = 1.5 * .pi * (1 + 2 * draw.uniform(0))
    return (circle(angle) * angle + draw.normals) / 5
  }

  /// Radius 0.75, 1.5, 2.25 or 3, noise 0.08.
  private static func rings(_ draw: Draw) -> SIMD2<Double> {
    let radius = 0.75 * Double(1 + draw.choice(0, of: 4))
    return radius * circle(2 * .pi * draw.uniform(1)) + 0.08 * draw.normals
  }

  /// Uniform on a disc of radius 0.5, or on the ring between radius 1 and 1.5: the function g of Dupont, Doucet and Teh
  /// (2019) is −1 on the disc and 1 on the ring.
  private static func concentric(_ draw: Draw) -> SIMD2<Double> {
    let isInner = draw.choice(0, of: 2) == 0
    let (inner, outer): (Double, Double) = isInner ? (0, 0.5 * 0.5) : (1, 1.5 * 1.5)
    let square: Double = inner + draw.uniform(2) * (outer - inner)
    return square.squareRoot() * circle(2 * .pi * draw.uniform(1))
  }
}
