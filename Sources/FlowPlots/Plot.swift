/// A picture that can draw itself on a canvas of its size.
///
/// Values that cannot be drawn (NaN, ±∞, and values that are not positive on a logarithmic axis) are left out. They are
/// not an error, so that a diverged run can still be plotted.
public protocol Plot: Sendable {
  /// The width and height in points. PNG files have `Canvas.pixelsPerPoint` pixels per point.
  var size: Size { get }

  /// Draws the picture with its top-left corner at the origin of `canvas`.
  func draw(on canvas: borrowing Canvas)
}

extension Plot {
  /// The bytes of a file of the given format with the picture.
  ///
  /// - Throws: `PlotError.cannotDraw` if cairo fails, for example because a side has more than 32,767 pixels.
  public func encoded(as format: PlotFormat) throws(PlotError) -> [UInt8] {
    let canvas = try Canvas(size: size, format: format)
    canvas.fill(Rectangle(x: 0, y: 0, width: size.width, height: size.height), color: .white)
    draw(on: canvas)
    return try canvas.encoded()
  }

  /// Writes the picture to `path`, whose extension (`.png`, `.svg` or `.pdf`) decides the format.
  ///
  /// The file is opened after the picture is drawn. So if drawing fails, a file that is already there stays as it is.
  ///
  /// - Throws: `PlotError.unknownFormat`, `.cannotDraw` or `.cannotWrite`.
  public func write(to path: String) throws(PlotError) {
    let format = try PlotFormat(path: path)
    try Canvas.write(encoded(as: format), to: path)
  }
}
