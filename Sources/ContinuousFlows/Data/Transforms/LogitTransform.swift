import CLibrary
import FieldPrograms

/// Maps values between 0 and 1 to the whole line, so that a flow need not learn where the range ends: `y = log(u / (1 −
/// u))` with `u = α + (1 − 2α) x`. α keeps u away from 0 and 1, where the logit is infinite.
///
/// RealNVP (Dinh, Sohl-Dickstein, Bengio, ICLR 2017), MAF (Papamakarios, Pavlakou, Murray, NeurIPS 2017) and FFJORD do
/// this with dequantised images: α is 1e-6 for MNIST, 0.05 for CIFAR-10. `log dy/dx = log(1 − 2α) − log u − log(1 − u)`
/// is part of every log-density, so results can be compared with theirs.
///
/// A density over y is a density over `0 < u < 1`, which extends α / (1 − 2α) beyond 0 ... 1 on either side.
public struct LogitTransform: Sendable, Equatable, Codable {
  /// α, above 0 and below ½.
  public let alpha: Double

  public init(alpha: Double) {
    precondition(Self.isValid(alpha), "alpha is \(alpha), must be above 0 and below 0.5")
    self.alpha = alpha
  }

  static func isValid(_ alpha: Double) -> Bool { alpha > 0 && alpha < 0.5 }

  /// The α of the papers for MNIST: for data in levels.
  public static let levelsAlpha = 1e-6
  /// The α for other data, which may lie on the ends of the range, and for CIFAR-10.
  public static let continuousAlpha = 0.05

  /// The open range of values that have a density.
  public var range: (low: Double, high: Double) {
    let margin = alpha / (1 - 2 * alpha)
    return (-margin, 1 + margin)
  }

  /// The range for messages, such as "above -0.125 and below 1.125".
  public var rangeText: String { "above \(range.low) and below \(range.high)" }

  /// y of each of `values`, of any shape. Values outside the range, which have no density, are clamped just inside it,
  /// so that results stay finite.
  public func forward(_ values: [Double]) -> [Double] {
    values.map { value in
      guard value.isFinite else { return value }
      let u = min(max(drawnIn(value), Self.edge), 1 - Self.edge)
      return log(u) - log1p(-u)
    }
  }

  /// x of each of `logits`.
  public func inverse(_ logits: [Double]) -> [Double] {
    logits.map { (1 / (1 + exp(-$0)) - alpha) / (1 - 2 * alpha) }
  }

  /// `log |det ∂y/∂x|` of each row of x, `[count]` from `[count][dimension]`; −∞ if a value is outside the range.
  public func logDeterminants(_ values: [Double], dimension: Int) -> [Double] {
    sums(values, dimension) { value in
      let u = drawnIn(value)
      return u > 0 && u < 1 ? log(1 - 2 * alpha) - log(u) - log1p(-u) : -.infinity
    }
  }

  /// The same from the rows' logits, where x would be rounded at the ends: `−log u − log(1 − u) = |y| + 2 log(1 +
  /// e^−|y|)`.
  public func logDeterminants(ofLogits logits: [Double], dimension: Int) -> [Double] {
    sums(logits, dimension) { logit in
      let size = abs(logit)
      return log(1 - 2 * alpha) + size + 2 * log1p(exp(-size))
    }
  }

  /// Index of the first of `values` at which there is no density; nil if there is none.
  public func firstOutside(_ values: [Double]) -> Int? {
    values.firstIndex { value in
      let u = drawnIn(value)
      return !(u > 0 && u < 1)
    }
  }

  /// For smaller u, `1 − u` rounds to 1.
  private static let edge = 0.5 * Double.ulpOfOne

  private func drawnIn(_ value: Double) -> Double { alpha + (1 - 2 * alpha) * value }

  private func sums(_ values: [Double], _ dimension: Int, _ term: (Double) -> Double) -> [Double] {
    precondition(values.count % dimension == 0, "\(values.count) values in rows of \(dimension)")
    return stride(from: 0, to: values.count, by: dimension).map { first in
      values[first..<first + dimension].reduce(0) { $0 + term($1) }
    }
  }
}
