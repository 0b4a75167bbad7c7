/// Moving average of the weights, which generalises better than the weights of any single step (Polyak and Juditsky).
public struct ExponentialMovingAverage: Sendable, Equatable {
  /// d, in [0, 1).
  public var decay: Double

  public init(decay: Double) { self.decay = decay }

  /// The decay of update n, counted from 0: `min(d, (1 + n) / (10 + n))`, so that the initial weights are soon
  /// forgotten.
  public func decay(ofUpdate n: Int) -> Double { min(decay, Double(1 + n) / Double(10 + n)) }

  /// `average ← average + (1 − decay)(parameters − average)`, in Float.
  public func update(_ average: inout [Float], towards parameters: [Float], update n: Int) {
    let count = average.count
    precondition(parameters.count == count, "\(parameters.count) parameters for an average of \(count)")
    let pull = Float(1 - decay(ofUpdate: n))
    for index in 0..<count { average[index] += pull * (parameters[index] - average[index]) }
  }
}
