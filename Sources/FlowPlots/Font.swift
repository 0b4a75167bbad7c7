/// A size of the sans-serif face.
public struct Font: Equatable, Sendable {
  /// Em size in points.
  public var size: Double
  public var bold: Bool

  public init(size: Double, bold: Bool = false) {
    self.size = size
    self.bold = bold
  }
}
