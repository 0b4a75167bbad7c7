import Foundation

extension TestProblem {
  /// DETEST class D: orbits of two bodies with eccentricity 0.1 to 0.9, which start where the bodies are nearest.
  static let orbits = [("D1", 0.1), ("D2", 0.3), ("D3", 0.5), ("D4", 0.7), ("D5", 0.9)].map { name, eccentricity in
    TestProblem(
      name, "an orbit of eccentricity \(eccentricity)", citation: detest,
      start: [1 - eccentricity, 0, 0, ((1 + eccentricity) / (1 - eccentricity)).squareRoot()], endTime: detestEnd
    ) { _, y, f in
      let square = y[0] * y[0] + y[1] * y[1]
      let cube = square * square.squareRoot()
      f[0] = y[2]
      f[1] = y[3]
      f[2] = -y[0] / cube
      f[3] = -y[1] / cube
    }
  }
}
