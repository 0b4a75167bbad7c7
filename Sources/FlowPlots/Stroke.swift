/// The style of a line.
public struct Stroke: Equatable, Sendable {
  public var color: Color
  /// The width in points.
  public var width: Double
  /// The lengths of dashes and gaps in points, alternating; empty for a solid line.
  public var dash: [Double]

  public init(color: Color, width: Double, dash: [Double] = []) {
    self.color = color
    self.width = width
    self.dash = dash
  }
}
