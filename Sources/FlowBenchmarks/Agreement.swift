import NeuralODE

/// The differences between a training step in Float and the same step in Double.
public struct Agreement: Sendable {
  /// |loss − reference| / max(1, |reference|).
  public let lossError: Double
  /// ‖gradient − reference‖ / ‖reference‖.
  public let gradientError: Double

  /// False for NaN as well.
  func isWithin(_ tolerance: Double) -> Bool { lossError <= tolerance && gradientError <= tolerance }

  init(of step: Gradient<Float>, with reference: TrainingStepBenchmark.Reference) {
    lossError = abs(step.losses.reduce(0, +) - reference.loss) / max(1, abs(reference.loss))
    var error = 0.0
    var norm = 0.0
    for (found, expected) in zip(step.parameters, reference.gradient) {
      error += (Double(found) - expected) * (Double(found) - expected)
      norm += expected * expected
    }
    gradientError = (error / norm).squareRoot()
  }
}
