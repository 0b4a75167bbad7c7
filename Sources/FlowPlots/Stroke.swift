/// How a line is drawn.
public struct Stroke: Equatable, Sendable {
  public var color: Color
  /// Width in points.
  public var width: Double
  /// Lengths of dashes and gaps in points, in turn; empty for a solid line.
  public var dash: [Double]

  public init(color: Color, width: Double, dash: [Double] = []) {
    self.color = color
    self.width = width
    self.dash = dash
  }
}
