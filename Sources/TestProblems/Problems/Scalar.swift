import Foundation

extension TestProblem {
  /// DETEST class A: single equations.
  static let scalar = [
    TestProblem("A1", "the negative exponential", citation: detest, start: [1], endTime: detestEnd) {
      $2[0] = -$1[0]
    },
    TestProblem("A2", "a special case of the Riccati equation", citation: detest, start: [1], endTime: detestEnd) {
      $2[0] = -$1[0] * $1[0] * $1[0] / 2
    },
    TestProblem("A3", "an oscillatory problem", citation: detest, start: [1], endTime: detestEnd) {
      $2[0] = $1[0] * cos($0)
    },
    TestProblem("A4", "a logistic curve", citation: detest, start: [1], endTime: detestEnd) {
      $2[0] = $1[0] / 4 * (1 - $1[0] / 20)
    },
    TestProblem("A5", "a spiral curve", citation: detest, start: [4], endTime: detestEnd) {
      $2[0] = ($1[0] - $0) / ($1[0] + $0)
    },
  ]
}
