import Foundation

extension TestProblem {
  /// DETEST class C: moderate systems.
  static let moderateSystems = [
    TestProblem(
      "C1", "a radioactive decay chain of equal rates", citation: detest, start: unit(10), endTime: detestEnd,
      rates: chain { _ in 1 }),
    TestProblem(
      "C2", "a radioactive decay chain of rates 1 to 9", citation: detest, start: unit(10), endTime: detestEnd,
      rates: chain { Double($0 + 1) }),
    TestProblem(
      "C3", "diffusion over 10 points", citation: detest, start: unit(10), endTime: detestEnd, rates: diffusion),
    TestProblem(
      "C4", "diffusion over 51 points", citation: detest, start: unit(51), endTime: detestEnd, rates: diffusion),
    TestProblem(
      "C5", "the motion of the five outer planets about the sun, in units of 100 days", citation: detest,
      start: Planets.positions + Planets.velocities, endTime: detestEnd, rates: Planets.rates),
  ]

  private static func unit(_ dimension: Int) -> [Double] { [1] + Array(repeating: 0, count: dimension - 1) }

  /// Substance i decays into substance i + 1 at `rate(i)`; the last one is stable.
  private static func chain(_ rate: @escaping @Sendable (Int) -> Double) -> Rates {
    { _, y, f in
      f[0] = 0
      for i in 0..<y.count - 1 {
        let flow = rate(i) * y[i]
        f[i] -= flow
        f[i + 1] = flow
      }
    }
  }

  private static let diffusion: Rates = { _, y, f in
    for i in y.indices {
      f[i] = (i > 0 ? y[i - 1] : 0) - 2 * y[i] + (i + 1 < y.count ? y[i + 1] : 0)
    }
  }
}

/// Jupiter, Saturn, Uranus, Neptune and Pluto. The state is their positions `[5][3]`, then their velocities `[5][3]`.
private enum Planets {
  static let gravity = 2.95912208286
  static let sun = 1.00000597682
  static let masses = [
    0.000954786104043, 0.000285583733151, 0.0000437273164546, 0.0000517759138449, 0.00000277777777778,
  ]
  static let positions = [
    3.42947415189, 3.35386959711, 1.35494901715,
    6.64145542550, 5.97156957878, 2.18231499728,
    11.2630437207, 14.6952576794, 6.27960525067,
    -30.1552268759, 1.65699966404, 1.43785752721,
    -21.1238353380, 28.4465098142, 15.3882659679,
  ]
  static let velocities = [
    -0.557160570446, 0.505696783289, 0.230578543901,
    -0.415570776342, 0.365682722812, 0.169143213293,
    -0.325325669158, 0.189706021964, 0.0877265322780,
    -0.0240476254170, -0.287659532608, -0.117219543175,
    -0.176860753121, -0.216393453025, -0.0148647893090,
  ]

  /// y″ⱼ = k₂ (−(m₀ + mⱼ) yⱼ/rⱼ³ + Σ_{k≠j} mₖ ((yₖ − yⱼ)/dⱼₖ³ − yₖ/rₖ³)).
  static let rates: TestProblem.Rates = { _, y, f in
    func cube(_ a: Double, _ b: Double, _ c: Double) -> Double {
      let square = a * a + b * b + c * c
      return square * square.squareRoot()
    }
    for j in 0..<5 {
      let own = cube(y[3 * j], y[3 * j + 1], y[3 * j + 2])
      for axis in 0..<3 {
        f[3 * j + axis] = y[15 + 3 * j + axis]
        f[15 + 3 * j + axis] = -(sun + masses[j]) * y[3 * j + axis] / own
      }
      for k in 0..<5 where k != j {
        let apart = cube(y[3 * k] - y[3 * j], y[3 * k + 1] - y[3 * j + 1], y[3 * k + 2] - y[3 * j + 2])
        let other = cube(y[3 * k], y[3 * k + 1], y[3 * k + 2])
        for axis in 0..<3 {
          f[15 + 3 * j + axis] +=
            masses[k] * ((y[3 * k + axis] - y[3 * j + axis]) / apart - y[3 * k + axis] / other)
        }
      }
      for axis in 0..<3 { f[15 + 3 * j + axis] *= gravity }
    }
  }
}
