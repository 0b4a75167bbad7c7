/// The sans-serif font at a size.
public struct Font: Equatable, Sendable {
  /// The em size in points.
  public var size: Double
  public var bold: Bool

  public init(size: Double, bold: Bool = false) {
    self.size = size
    self.bold = bold
  }
}
