/// How an adaptive step's length follows from the errors of the last ones.
///
/// With r the norm of an attempt's errors against their tolerances, r′ and r″ those of the sample's last two accepted steps
/// (1 where there are none) and k the embedded order + 1, the length is multiplied by
///
///     safety · r^(−(P+I+D)/k) · r′^((P+2D)/k) · r″^(−D/k)
///
/// but by 1 to `largestFactor` after an accepted step, by `smallestFactor` to `safety` after a refused one (Söderlind 2003, ACM
/// TOMS 29(1); letters and limits are diffrax's).
public struct StepController: Sendable, Equatable {
  /// P.
  public var proportional: Double
  /// I, above 0: without it a controller does not hold the tolerance.
  public var integral: Double
  /// D.
  public var derivative: Double
  /// Above 0, below 1.
  public var safety: Double
  /// Above 0, below 1.
  public var smallestFactor: Double
  /// At least 1.
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

  /// From the last error alone, as torchdiffeq does it.
  public static let integral = StepController()
  /// P = 0.4, I = 0.3: calmer where the integral controller's steps go up and down between accepted and refused ones.
  public static let proportionalIntegral = StepController(proportional: 0.4, integral: 0.3)
  public static func pid(_ proportional: Double, _ integral: Double, _ derivative: Double) -> StepController {
    StepController(proportional: proportional, integral: integral, derivative: derivative)
  }
}

/// The words of the command line: `integral`, `proportional-integral`, or `pid:` with three numbers such as
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
