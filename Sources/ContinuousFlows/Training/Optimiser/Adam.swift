import CLibrary

/// Adam (Kingma and Ba, ICLR 2015), and AdamW with decoupled weight decay. They differ in one line, so they are one
/// type.
///
/// The formula is PyTorch's, in Float, element by element: the same bits in every run and at every number of threads.
/// Bias corrections are computed in Double, once per step.
public struct Adam: Sendable, Equatable {
  /// Decay of the first moment.
  public var beta1: Double
  /// Decay of the second moment.
  public var beta2: Double
  /// Added to the root of the second moment.
  public var epsilon: Double
  public var weightDecay: WeightDecay

  public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: WeightDecay = .none) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// One step down `gradient`.
  ///
  /// - Parameters:
  ///   - parameters: `[P]`, as are `gradient` and both moments.
  ///   - gradientScale: a factor of the gradient, which clips it without another pass over memory.
  ///   - step: counted from 0.
  ///   - undecayed: a range up to the last parameter that weight decay skips; nil means none.
  public func update(
    _ parameters: inout [Float], gradient: [Float], gradientScale: Float = 1, moments: inout AdamMoments, step: Int,
    learningRate: Double, undecayed: Range<Int>? = nil
  ) {
    let count = parameters.count
    precondition(
      gradient.count == count && moments.first.count == count && moments.second.count == count,
      "\(gradient.count) gradients and \(moments.first.count) moments for \(count) parameters")
    let time = Double(step + 1)
    let stepSize = Float(learningRate / (1 - pow(beta1, time)))
    let rootCorrection = Float((1 - pow(beta2, time)).squareRoot())
    let first = undecayed?.lowerBound ?? count
    precondition(
      first <= count && undecayed?.upperBound ?? count == count, "the last of \(count) parameters are undecayed")
    for (range, decay) in [(0..<first, weightDecay), (first..<count, .none)] where !range.isEmpty {
      let (penalty, kept): (Float, Float) =
        switch decay {
        case .none: (0, 1)
        case .penalty(let factor): (Float(factor), 1)
        case .decoupled(let factor): (0, Float(1 - learningRate * factor))
        }
      Self.decay(
        &moments.first, in: range, towards: gradient, gradientScale, parameters, penalty, keeping: beta1, power: .first)
      Self.decay(
        &moments.second, in: range, towards: gradient, gradientScale, parameters, penalty, keeping: beta2,
        power: .second)
      let epsilon = Float(epsilon)
      let (first, second) = (moments.first, moments.second)
      precondition(first.count == count && second.count == count && parameters.count == count)
      for index in range {
        let root = second[index].squareRoot() / rootCorrection + epsilon
        parameters[index] = parameters[index] * kept - stepSize * first[index] / root
      }
    }
  }

  private enum Power { case first, second }

  /// Updates one moment. A loop that writes to a single array is vectorised: one loop over all three takes twice as
  /// long.
  @inline(__always)
  private static func decay(
    _ moment: inout [Float], in range: Range<Int>, towards gradient: [Float], _ gradientScale: Float,
    _ parameters: [Float],
    _ penalty: Float, keeping beta: Double, power: Power
  ) {
    let (old, new) = (Float(beta), Float(1 - beta))
    let count = moment.count
    // Checked before the loop, so that the compiler drops the index checks inside it.
    precondition(
      gradient.count == count && parameters.count == count && range.lowerBound >= 0 && range.upperBound <= count)
    for index in range {
      let slope = gradient[index] * gradientScale + penalty * parameters[index]
      moment[index] = old * moment[index] + new * (power == .first ? slope : slope * slope)
    }
  }
}
