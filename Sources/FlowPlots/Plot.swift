/// A picture with a size of its own that can draw itself.
///
/// Values that cannot be placed (NaN, ±∞, non-positive values on a logarithmic axis) are left out, never an error: a plot
/// of a diverged run is still a plot.
public protocol Plot: Sendable {
  /// Width and height in points. PNG files have `Canvas.pixelsPerPoint` pixels per point.
  var size: Size { get }

  /// Draws the picture with its top-left corner at the origin of `canvas`.
  func draw(on canvas: borrowing Canvas)
}

extension Plot {
  /// The picture as the bytes of a file of the given format.
  /// - Throws: `PlotError.cannotDraw` when cairo fails, as it does for a picture of more than 32,767 pixels a side.
  public func encoded(as format: PlotFormat) throws(PlotError) -> [UInt8] {
    let canvas = try Canvas(size: size, format: format)
    canvas.fill(Rectangle(x: 0, y: 0, width: size.width, height: size.height), color: .white)
    draw(on: canvas)
    return try canvas.encoded()
  }

  /// Writes the picture to `path`, whose extension (`.png`, `.svg` or `.pdf`) chooses the format.
  ///
  /// The picture is complete before the file is opened, so a picture that cannot be drawn leaves an older file intact.
  /// - Throws: `PlotError.unknownFormat`, `.cannotDraw` or `.cannotWrite`; the first and last name the path.
  public func write(to path: String) throws(PlotError) {
    let format = try PlotFormat(path: path)
    try Canvas.write(encoded(as: format), to: path)
  }
}
