import Foundation

extension TestProblem {
  private static let ivpTestSet =
    "Mazzia, Magherini: Test Set for Initial Value Problem Solvers, release 2.4, Bari 2008"

  /// Van der Pol's equation on the time scale of its slow motion, y″ = μ²((1 − y²) y′ − y).
  ///
  /// Between slow parts, the solution jumps within a time of 1/μ². μ = 10³ is problem VDPOL of the test set.
  static let vanDerPol = (3...6).map { power in
    let square = (0..<2 * power).reduce(1.0) { product, _ in product * 10 }
    return TestProblem(
      "VDP\(power)", "Van der Pol's equation, mu = 1e\(power)", citation: ivpTestSet, start: [2, 0], endTime: 2,
      tangent: { _, y, v, f in
        f[0] = v[1]
        f[1] = square * ((-2 * y[0] * y[1] - 1) * v[0] + (1 - y[0] * y[0]) * v[1])
      },
      rates: { _, y, f in
        f[0] = y[1]
        f[1] = square * ((1 - y[0] * y[0]) * y[1] - y[0])
      })
  }

  /// Reactions from chemistry and biology.
  static let kinetics = [
    TestProblem(
      "ROBER", "Robertson's reaction", citation: "Robertson 1966; " + ivpTestSet, start: [1, 0, 0], endTime: 1e11,
      tangent: { _, y, v, f in
        f[0] = -0.04 * v[0] + 1e4 * (y[2] * v[1] + y[1] * v[2])
        f[2] = 6e7 * y[1] * v[1]
        f[1] = -f[0] - f[2]
      },
      rates: { _, y, f in
        f[0] = -0.04 * y[0] + 1e4 * y[1] * y[2]
        f[2] = 3e7 * y[1] * y[1]
        f[1] = -f[0] - f[2]
      }),
    TestProblem(
      "HIRES", "high irradiance responses of photomorphogenesis", citation: "Schaefer 1975; " + ivpTestSet,
      start: [1, 0, 0, 0, 0, 0, 0, 0.0057], endTime: 321.8122,
      tangent: { _, y, v, f in
        let z = 280 * (y[5] * v[7] + y[7] * v[5])
        f[0] = -1.71 * v[0] + 0.43 * v[1] + 8.32 * v[2]
        f[1] = 1.71 * v[0] - 8.75 * v[1]
        f[2] = -10.03 * v[2] + 0.43 * v[3] + 0.035 * v[4]
        f[3] = 8.32 * v[1] + 1.71 * v[2] - 1.12 * v[3]
        f[4] = -1.745 * v[4] + 0.43 * v[5] + 0.43 * v[6]
        f[5] = -z + 0.69 * v[3] + 1.71 * v[4] - 0.43 * v[5] + 0.69 * v[6]
        f[6] = z - 1.81 * v[6]
        f[7] = -f[6]
      },
      rates: { _, y, f in
        let z = 280 * y[5] * y[7]
        f[0] = -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007
        f[1] = 1.71 * y[0] - 8.75 * y[1]
        f[2] = -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4]
        f[3] = 8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3]
        f[4] = -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6]
        f[5] = -z + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6]
        f[6] = z - 1.81 * y[6]
        f[7] = -f[6]
      }),
  ]
}
