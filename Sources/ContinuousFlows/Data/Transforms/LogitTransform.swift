import CLibrary
import FieldPrograms

/// Values between 0 and 1 taken to the whole line, so that no flow has to learn where the range ends:
/// `y = log(u / (1 − u))` of `u = α + (1 − 2α) x`, which α draws in from the ends, where the logit is infinite.
///
/// So do RealNVP (Dinh, Sohl-Dickstein, Bengio, ICLR 2017), MAF (Papamakarios, Pavlakou, Murray, NeurIPS 2017) and FFJORD with
/// dequantised images: α is 1e-6 for MNIST's, 0.05 for CIFAR-10's. `log dy/dx = log(1 − 2α) − log u − log(1 − u)` is part of
/// every log-density, so that figures compare with theirs.
///
/// A density over y is one over `0 < u < 1`, which is α / (1 − 2α) wider than 0 ... 1 on either side.
public struct LogitTransform: Sendable, Equatable, Codable {
  /// α, above 0 and below ½.
  public let alpha: Double

  public init(alpha: Double) {
    precondition(Self.isValid(alpha), "alpha is \(alpha), must be above 0 and below 0.5")
    self.alpha = alpha
  }

  static func isValid(_ alpha: Double) -> Bool { alpha > 0 && alpha < 0.5 }

  /// For data in levels, as the papers have it for MNIST.
  public static let levelsAlpha = 1e-6
  /// For other data, which may lie on the ends of the range, and for CIFAR-10's levels.
  public static let continuousAlpha = 0.05

  /// Where there is a density: values between these, ends left out.
  public var range: (low: Double, high: Double) {
    let margin = alpha / (1 - 2 * alpha)
    return (-margin, 1 + margin)
  }

  /// y of each of `values`, of any shape. Values beyond the range, which have no density, are taken to an end of it that is just
  /// inside, so that what is computed of them stays finite.
  public func forward(_ values: [Float]) -> [Float] {
    values.map { value in
      guard value.isFinite else { return value }
      let u = min(max(drawnIn(value), Self.edge), 1 - Self.edge)
      return Float(log(u) - log1p(-u))
    }
  }

  /// x of each of `logits`.
  public func inverse(_ logits: [Float]) -> [Float] {
    logits.map { Float((1 / (1 + exp(-Double($0))) - alpha) / (1 - 2 * alpha)) }
  }

  /// `log |det ∂y/∂x|` of each row of x, `[count]` of `[count][dimension]`; −∞ where a value is beyond the range.
  public func logDeterminants(_ values: [Float], dimension: Int) -> [Double] {
    sums(values, dimension) { value in
      let u = drawnIn(value)
      return u > 0 && u < 1 ? log(1 - 2 * alpha) - log(u) - log1p(-u) : -.infinity
    }
  }

  /// The same at the rows' logits, where x would be rounded at the ends: `−log u − log(1 − u) = |y| + 2 log(1 + e^−|y|)`.
  public func logDeterminants(ofLogits logits: [Float], dimension: Int) -> [Double] {
    sums(logits, dimension) { logit in
      let size = Double(abs(logit))
      return log(1 - 2 * alpha) + size + 2 * log1p(exp(-size))
    }
  }

  /// Index of the first of `values` that has no density.
  public func firstOutside(_ values: [Float]) -> Int? {
    values.firstIndex { value in
      let u = drawnIn(value)
      return !(u > 0 && u < 1)
    }
  }

  /// Below it `1 − u` is 1.
  private static let edge = 0.5 * Double.ulpOfOne

  private func drawnIn(_ value: Float) -> Double { alpha + (1 - 2 * alpha) * Double(value) }

  private func sums(_ values: [Float], _ dimension: Int, _ term: (Float) -> Double) -> [Double] {
    precondition(values.count % dimension == 0, "\(values.count) values in rows of \(dimension)")
    return stride(from: 0, to: values.count, by: dimension).map { first in
      values[first..<first + dimension].reduce(0) { $0 + term($1) }
    }
  }
}
