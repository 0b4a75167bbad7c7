import CLibrary

/// The learning rate as factors of the base rate: a linear rise over the first steps, times a shape.
public struct LearningRateSchedule: Sendable, Equatable {
  public enum Shape: Sendable, Equatable {
    case constant
    /// Half a cosine from 1 down to `finalFraction` at the end of the run (Loshchilov and Hutter, ICLR 2017).
    case cosine(finalFraction: Double = 0)
  }

  public var shape: Shape
  /// Step n (from 0) of the first `warmupSteps` has `(n + 1) / (warmupSteps + 1)` of its rate.
  public var warmupSteps: Int

  public init(_ shape: Shape = .constant, warmupSteps: Int = 0) {
    precondition(warmupSteps >= 0, "warmupSteps is \(warmupSteps), must not be negative")
    self.shape = shape
    self.warmupSteps = warmupSteps
  }

  /// The factor of step `step`, counted from 0.
  ///
  /// - Parameter progress: the fraction of the run that is over, in [0, 1]; only `cosine` uses it.
  public func factor(step: Int, progress: Double) -> Double {
    let warmup = step < warmupSteps ? Double(step + 1) / Double(warmupSteps + 1) : 1
    switch shape {
    case .constant: return warmup
    case .cosine(let finalFraction):
      let wave = 0.5 * (1 + cos(Double.pi * min(1, max(0, progress))))
      return warmup * (finalFraction + (1 - finalFraction) * wave)
    }
  }
}
