import Foundation

extension TestProblem {
  /// DETEST class B: small systems.
  static let smallSystems = [
    TestProblem(
      "B1", "the growth of two conflicting populations", citation: detest, start: [1, 3], endTime: detestEnd
    ) { _, y, f in
      f[0] = 2 * (y[0] - y[0] * y[1])
      f[1] = -(y[1] - y[0] * y[1])
    },
    TestProblem("B2", "a linear chemical reaction", citation: detest, start: [2, 0, 1], endTime: detestEnd) { _, y, f in
      f[0] = -y[0] + y[1]
      f[1] = y[0] - 2 * y[1] + y[2]
      f[2] = y[1] - y[2]
    },
    TestProblem("B3", "a nonlinear chemical reaction", citation: detest, start: [1, 0, 0], endTime: detestEnd) {
      _, y, f in
      f[0] = -y[0]
      f[1] = y[0] - y[1] * y[1]
      f[2] = y[1] * y[1]
    },
    TestProblem("B4", "the integral surface of a torus", citation: detest, start: [3, 0, 0], endTime: detestEnd) {
      _, y, f in
      let radius = (y[0] * y[0] + y[1] * y[1]).squareRoot()
      f[0] = -y[1] - y[0] * y[2] / radius
      f[1] = y[0] - y[1] * y[2] / radius
      f[2] = y[0] / radius
    },
    TestProblem(
      "B5", "Euler's equations of a rigid body without external forces", citation: detest, start: [0, 1, 1],
      endTime: detestEnd
    ) { _, y, f in
      f[0] = y[1] * y[2]
      f[1] = -y[0] * y[2]
      f[2] = -0.51 * y[0] * y[1]
    },
  ]
}
