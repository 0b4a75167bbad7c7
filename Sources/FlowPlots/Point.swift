/// A point in the plane, in coordinates of the canvas (y downwards) or of the data (y upwards).
public struct Point: Equatable, Sendable {
  public var x: Double
  public var y: Double

  public init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }

  /// The rows of a row-major `[count][2]` array as points.
  static func rows(of flat: [Double]) -> [Point] {
    stride(from: 0, to: flat.count - 1, by: 2).map { Point(x: flat[$0], y: flat[$0 + 1]) }
  }
}
