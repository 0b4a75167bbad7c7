import CLibrary

/// A loss of a model's outputs, summed over samples.
public enum OutputLoss<Scalar: FlowScalar>: Sendable {
  /// `scale · Σ −log softmax(outputs)[label]` in nats; `labels` is `[count]`, each at least 0 and below the number of
  /// outputs.
  case crossEntropy(labels: [Int], scale: Double)
  /// `scale · Σ mean over outputs of (output − target)²`; `targets` is `[count][outputs]`.
  case squaredError(targets: [Scalar], scale: Double)
  /// Any other loss: returns the loss and `∂L/∂outputs` for a sample's number and outputs. It is called from several
  /// threads at a time, and its result must depend only on its arguments.
  case function(@Sendable (_ sample: Int, _ outputs: ArraySlice<Scalar>) -> (loss: Double, cotangents: [Scalar]))

  /// One sample's loss and `∂L/∂outputs`, in Double.
  func evaluate(sample: Int, outputs: ArraySlice<Scalar>) -> (loss: Double, cotangents: [Scalar]) {
    switch self {
    case .crossEntropy(let labels, let scale):
      let label = labels[sample]
      let logProbabilities = Softmax.logProbabilities(outputs)
      let cotangents = logProbabilities.indices.map { index in
        Scalar(scale * (exp(logProbabilities[index]) - (index == label ? 1 : 0)))
      }
      return (-scale * logProbabilities[label], cotangents)
    case .squaredError(let targets, let scale):
      let share = scale / Double(outputs.count)
      let differences = outputs.enumerated().map { Double($1) - Double(targets[sample * outputs.count + $0]) }
      return (share * differences.reduce(0) { $0 + $1 * $1 }, differences.map { Scalar(2 * share * $0) })
    case .function(let body): return body(sample, outputs)
    }
  }

  /// Shapes and labels that do not fit are a precondition failure.
  func check(count: Int, outputs: Int) {
    switch self {
    case .crossEntropy(let labels, _):
      precondition(labels.count == count, "\(labels.count) labels for \(count) samples")
      precondition(labels.allSatisfy { 0..<outputs ~= $0 }, "a label is not from 0 to \(outputs - 1)")
    case .squaredError(let targets, _):
      precondition(
        targets.count == count * outputs, "\(targets.count) targets for \(count) samples of \(outputs) outputs")
    case .function: break
    }
  }
}

/// Class probabilities from a model's outputs.
public enum Softmax {
  /// `yᵢ − log Σ exp yⱼ` in Double, relative to the largest output so that nothing overflows.
  public static func logProbabilities<Scalar: FlowScalar>(_ outputs: ArraySlice<Scalar>) -> [Double] {
    let values = outputs.map { Double($0) }
    let largest = values.max() ?? 0
    let sum = values.reduce(0) { $0 + exp($1 - largest) }
    let logSum = largest + log(sum)
    return values.map { $0 - logSum }
  }
}
