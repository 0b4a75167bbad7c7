import Foundation

extension TestProblem {
  /// DETEST class E: equations of second order.
  static let secondOrder = [
    TestProblem(
      "E1", "Bessel's equation of order 1/2, the origin shifted by 1", citation: detest,
      start: [0.6713967071418030, 0.09540051444747446], endTime: detestEnd
    ) { t, y, f in
      f[0] = y[1]
      f[1] = -(y[1] / (t + 1) + (1 - 0.25 / ((t + 1) * (t + 1))) * y[0])
    },
    TestProblem("E2", "Van der Pol's equation, mu = 1", citation: detest, start: [2, 0], endTime: detestEnd) {
      _, y, f in
      f[0] = y[1]
      f[1] = (1 - y[0] * y[0]) * y[1] - y[0]
    },
    TestProblem("E3", "Duffing's equation, forced", citation: detest, start: [0, 0], endTime: detestEnd) { t, y, f in
      f[0] = y[1]
      f[1] = y[0] * y[0] * y[0] / 6 - y[0] + 2 * sin(2.78535 * t)
    },
    TestProblem("E4", "the falling body", citation: detest, start: [30, 0], endTime: detestEnd) { _, y, f in
      f[0] = y[1]
      f[1] = 0.032 - 0.4 * y[1] * y[1]
    },
    TestProblem("E5", "a linear pursuit", citation: detest, start: [0, 0], endTime: detestEnd) { t, y, f in
      f[0] = y[1]
      f[1] = (1 + y[1] * y[1]).squareRoot() / (25 - t)
    },
  ]
}
