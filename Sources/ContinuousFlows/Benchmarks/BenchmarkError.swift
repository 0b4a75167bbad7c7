/// Why nothing was timed.
public enum BenchmarkError: Error, Sendable {
  /// A step's result is not that of the reference.
  case wrongResult(step: String, Agreement)
}

extension BenchmarkError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .wrongResult(let step, let agreement):
      "\(step) is wrong, and was not timed: its loss differs from that in double by \(agreement.lossError), its gradient "
        + "by \(agreement.gradientError)"
    }
  }
}
