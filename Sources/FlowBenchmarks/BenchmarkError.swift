import NeuralODE

/// Why a measurement was refused.
public enum BenchmarkError: Error, Sendable {
  /// A step's result differs from the reference.
  case wrongResult(step: String, Agreement)
  /// A trace or a log-determinant differs from that of the Jacobian.
  case wrongVolume(method: String, dimension: Int, found: Double, expected: Double)
}

extension BenchmarkError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .wrongResult(let step, let agreement):
      "\(step) is wrong, and was not timed: its loss differs from that in double by \(agreement.lossError), its gradient "
        + "by \(agreement.gradientError)"
    case .wrongVolume(let method, let dimension, let found, let expected):
      "\(method) of D = \(dimension) is wrong, and was not timed: it gives \(found), the Jacobian \(expected)"
    }
  }
}
