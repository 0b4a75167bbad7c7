/// How the length of an adaptive step follows from the errors of the steps before it.
///
/// Let r be the norm of an attempt's errors divided by their tolerances, r′ and r″ those of the sample's last two
/// accepted steps (1 if there are none), and k the embedded order + 1. Each attempt multiplies the step length by
///
///     safety · r^(−(P+I+D)/k) · r′^((P+2D)/k) · r″^(−D/k)
///
/// The factor is limited to 1 ... `largestFactor` after an accepted step, and to `smallestFactor` ... `safety` after a
/// rejected step (Söderlind 2003, ACM TOMS 29(1); the letters and limits are those of diffrax).
public struct StepController: Sendable, Equatable {
  /// P in the formula.
  public var proportional: Double
  /// I in the formula, above 0. Without it, the controller does not keep the error at the tolerance.
  public var integral: Double
  /// D in the formula.
  public var derivative: Double
  /// The safety factor, above 0 and below 1.
  public var safety: Double
  /// The smallest factor of a step length, above 0 and below 1.
  public var smallestFactor: Double
  /// The largest factor of a step length, at least 1.
  public var largestFactor: Double

  public init(
    proportional: Double = 0, integral: Double = 1, derivative: Double = 0, safety: Double = 0.9,
    smallestFactor: Double = 0.2, largestFactor: Double = 10
  ) {
    self.proportional = proportional
    self.integral = integral
    self.derivative = derivative
    self.safety = safety
    self.smallestFactor = smallestFactor
    self.largestFactor = largestFactor
  }

  /// A controller that uses the last error only, like torchdiffeq.
  public static let integral = StepController()
  /// P = 0.4, I = 0.3. It helps if the integral controller alternates between accepted and rejected steps.
  public static let proportionalIntegral = StepController(proportional: 0.4, integral: 0.3)
  /// A controller with the given P, I and D and the default limits.
  public static func pid(_ proportional: Double, _ integral: Double, _ derivative: Double) -> StepController {
    StepController(proportional: proportional, integral: integral, derivative: derivative)
  }
}

/// The text form of the command line: `integral`, `proportional-integral`, or `pid:` with three numbers such as
/// `pid:0.3,0.4,0.1`. Safety and limits are the default ones.
extension StepController: CustomStringConvertible {
  public init?(_ words: String) {
    switch words {
    case "integral": self = .integral
    case "proportional-integral": self = .proportionalIntegral
    default:
      guard words.hasPrefix("pid:") else { return nil }
      let three = words.dropFirst("pid:".count).split(separator: ",", omittingEmptySubsequences: false)
      let numbers = three.compactMap { Double($0) }
      guard three.count == 3, numbers.count == 3, numbers.allSatisfy(\.isFinite), numbers[1] > 0 else { return nil }
      self = .pid(numbers[0], numbers[1], numbers[2])
    }
  }

  public var description: String {
    switch self {
    case .integral: "integral"
    case .proportionalIntegral: "proportional-integral"
    default: "pid:\(proportional),\(integral),\(derivative)"
    }
  }
}
