/// An opaque image of pixels, row by row from the top.
public struct PixelImage: Equatable, Sendable {
  public let width: Int
  public let height: Int
  /// `[height][width]`, each `0xFFRRGGBB`.
  public var pixels: [UInt32]

  public init(width: Int, height: Int, color: Color) {
    precondition(width > 0 && height > 0, "an image has \(width)×\(height) pixels, must be at least 1×1")
    self.width = width
    self.height = height
    pixels = Array(repeating: color.pixel, count: width * height)
  }
}
