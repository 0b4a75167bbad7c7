import CCairo
import CLibrary

/// A cairo surface with its context. Only this file of the module uses cairo and unsafe pointers.
///
/// Coordinates are points from the top-left corner, with y downwards. Drawing never throws: cairo remembers the first
/// failure and ignores later calls, and `encoded()` throws. Use a canvas from one thread only.
public struct Canvas: ~Copyable {
  /// The number of pixels per point in PNG files; above 1 for screens of high resolution.
  public static let pixelsPerPoint = 2.0

  private static let dotsBeforeRaster = 4_000
  private static let fontFamily = "sans-serif"

  private let surface: OpaquePointer
  private let context: OpaquePointer
  private let sink: ByteSink
  private let format: PlotFormat

  /// An empty canvas of `size` points for a file of `format`.
  ///
  /// - Throws: `PlotError.cannotDraw` if the size is not positive or larger than cairo allows.
  public init(size: Size, format: PlotFormat) throws(PlotError) {
    // cairo itself refuses more than 32,767 pixels. The limit here prevents a crash in the conversion to Int32.
    guard size.width > 0, size.height > 0, max(size.width, size.height) < 1e6 else {
      throw .cannotDraw(
        reason: "its size is \(size.width) × \(size.height) points, which must be positive and below 1,000,000")
    }
    let sink = ByteSink()
    let closure = Unmanaged.passUnretained(sink).toOpaque()
    let scale = format == .png ? Canvas.pixelsPerPoint : 1
    let surface: OpaquePointer =
      switch format {
      case .png:
        cairo_image_surface_create(
          CAIRO_FORMAT_ARGB32, Int32((size.width * scale).rounded()), Int32((size.height * scale).rounded()))
      case .svg: cairo_svg_surface_create_for_stream(appendBytes, closure, size.width, size.height)
      case .pdf: cairo_pdf_surface_create_for_stream(appendBytes, closure, size.width, size.height)
      }
    // If the surface has an error, so has the context, and `encoded()` reports it.
    self.init(surface: surface, sink: sink, format: format)
    cairo_scale(context, scale, scale)
  }

  /// Takes ownership of `surface`.
  private init(surface: OpaquePointer, sink: ByteSink, format: PlotFormat) {
    self.surface = surface
    self.sink = sink
    self.format = format
    context = cairo_create(surface)
    // Without hinting, text has the same width at every scale, so the layout is the same in every format.
    let options = cairo_font_options_create()
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
    cairo_set_font_options(context, options)
    cairo_font_options_destroy(options)
  }

  deinit {
    cairo_destroy(context)
    cairo_surface_destroy(surface)
  }

  private func check(_ status: cairo_status_t) throws(PlotError) {
    guard status == CAIRO_STATUS_SUCCESS else {
      throw .cannotDraw(reason: String(cString: cairo_status_to_string(status)))
    }
  }

  /// Ends the drawing and returns the bytes of the file.
  ///
  /// - Throws: `PlotError.cannotDraw` with the first failure since the canvas was created.
  public consuming func encoded() throws(PlotError) -> [UInt8] {
    try check(cairo_status(context))
    if format == .png {
      try check(cairo_surface_write_to_png_stream(surface, appendBytes, Unmanaged.passUnretained(sink).toOpaque()))
    } else {
      cairo_surface_finish(surface)
    }
    try check(cairo_surface_status(surface))
    return sink.bytes
  }

  /// Writes `bytes` to `path` and replaces a file that is there.
  ///
  /// - Throws: `PlotError.cannotWrite` with the operating system's reason.
  static func write(_ bytes: [UInt8], to path: String) throws(PlotError) {
    func failure() -> PlotError { .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
    guard let file = fopen(path, "wb") else { throw failure() }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
      let error = failure()
      fclose(file)
      throw error
    }
    // A full disk may cause an error only when fclose flushes the buffer.
    guard fclose(file) == 0 else { throw failure() }
  }
}

// MARK: Shapes

extension Canvas {
  private func use(_ color: Color) {
    cairo_set_source_rgba(context, color.red, color.green, color.blue, color.alpha)
  }

  private func use(_ stroke: Stroke) {
    use(stroke.color)
    cairo_set_line_width(context, stroke.width)
    cairo_set_dash(context, stroke.dash, Int32(stroke.dash.count), 0)
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
  }

  public func fill(_ rectangle: Rectangle, color: Color) {
    use(color)
    cairo_rectangle(context, rectangle.x, rectangle.y, rectangle.width, rectangle.height)
    cairo_fill(context)
  }

  public func outline(_ rectangle: Rectangle, stroke: Stroke) {
    use(stroke)
    cairo_rectangle(context, rectangle.x, rectangle.y, rectangle.width, rectangle.height)
    cairo_stroke(context)
  }

  public func line(from start: Point, to end: Point, stroke: Stroke) {
    lines([[start, end]], stroke: stroke)
  }

  /// Draws several open lines as one stroke, so that a translucent colour does not get darker where lines cross.
  public func lines(_ lines: [[Point]], stroke: Stroke) {
    use(stroke)
    for line in lines {
      for (index, point) in line.enumerated() {
        if index == 0 { cairo_move_to(context, point.x, point.y) } else { cairo_line_to(context, point.x, point.y) }
      }
    }
    cairo_stroke(context)
  }

  /// Fills a disc at each centre, one after another, so that translucent dots get darker where they overlap.
  public func dots(_ centers: [Point], radius: Double, color: Color) {
    use(color)
    for center in centers {
      cairo_new_sub_path(context)
      cairo_arc(context, center.x, center.y, radius, 0, 2 * .pi)
      cairo_fill(context)
    }
  }

  /// Runs `body` on this canvas with drawing limited to `rectangle`.
  public func clipped(to rectangle: Rectangle, _ body: (borrowing Canvas) -> Void) {
    cairo_save(context)
    cairo_rectangle(context, rectangle.x, rectangle.y, rectangle.width, rectangle.height)
    cairo_clip(context)
    body(self)
    cairo_restore(context)
  }

  /// Draws dots, clipped to `rectangle`.
  ///
  /// In SVG and PDF files, more than 4,000 dots become an image of four pixels per point. As shapes, 100,000 dots would
  /// make a file of tens of megabytes, which viewers cannot scroll.
  public func dots(_ centers: [Point], radius: Double, color: Color, within rectangle: Rectangle) {
    guard format != .png, centers.count > Canvas.dotsBeforeRaster else {
      return clipped(to: rectangle) { $0.dots(centers, radius: radius, color: color) }
    }
    let resolution = 4.0
    let raster = Canvas(
      surface: cairo_image_surface_create(
        CAIRO_FORMAT_ARGB32, Int32((rectangle.width * resolution).rounded(.up)),
        Int32((rectangle.height * resolution).rounded(.up))),
      sink: sink, format: .png)
    cairo_scale(raster.context, resolution, resolution)
    cairo_translate(raster.context, -rectangle.x, -rectangle.y)
    raster.dots(centers, radius: radius, color: color)
    paint(
      raster.surface, at: Point(x: rectangle.x, y: rectangle.y), scale: Point(x: 1 / resolution, y: 1 / resolution))
  }

  /// Stretches `image` over `rectangle`. If `smooth`, it interpolates between pixels; otherwise they stay sharp
  /// squares.
  public func draw(_ image: PixelImage, in rectangle: Rectangle, smooth: Bool) {
    let picture = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, Int32(image.width), Int32(image.height))!
    defer { cairo_surface_destroy(picture) }
    // A surface with an error has no data. Painting it passes the error on to the context.
    if let data = cairo_image_surface_get_data(picture) {
      let stride = Int(cairo_image_surface_get_stride(picture))
      image.pixels.withUnsafeBytes { source in
        for row in 0..<image.height {
          memcpy(data + row * stride, source.baseAddress! + row * image.width * 4, image.width * 4)
        }
      }
      cairo_surface_mark_dirty(picture)
    }
    paint(
      picture, at: Point(x: rectangle.x, y: rectangle.y),
      scale: Point(x: rectangle.width / Double(image.width), y: rectangle.height / Double(image.height)),
      filter: smooth ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST)
  }

  private func paint(
    _ picture: OpaquePointer, at corner: Point, scale: Point, filter: cairo_filter_t = CAIRO_FILTER_GOOD
  ) {
    cairo_save(context)
    cairo_translate(context, corner.x, corner.y)
    cairo_scale(context, scale.x, scale.y)
    cairo_set_source_surface(context, picture, 0, 0)
    cairo_pattern_set_filter(cairo_get_source(context), filter)
    cairo_paint(context)
    cairo_restore(context)
  }
}

// MARK: Text

extension Canvas {
  /// The part of a text that is at the given position.
  public enum HorizontalAnchor: Sendable { case left, center, right }
  public enum VerticalAnchor: Sendable { case top, middle, baseline }

  private func use(_ font: Font) {
    cairo_select_font_face(
      context, Canvas.fontFamily, CAIRO_FONT_SLANT_NORMAL, font.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL
    )
    cairo_set_font_size(context, font.size)
  }

  /// The width of `text` in points.
  public func width(of text: String, font: Font) -> Double {
    use(font)
    var extents = cairo_text_extents_t()
    cairo_text_extents(context, text, &extents)
    return extents.x_advance
  }

  /// Draws one line of text. If `upwards`, it is rotated a quarter turn counter-clockwise about its position.
  public func text(
    _ text: String, at place: Point, font: Font, color: Color, horizontal: HorizontalAnchor = .left,
    vertical: VerticalAnchor = .baseline, upwards: Bool = false
  ) {
    let advance = width(of: text, font: font)
    let left =
      switch horizontal {
      case .left: 0.0
      case .center: -advance / 2
      case .right: -advance
      }
    // The height of capital letters is 0.73 em in DejaVu and close to it in other sans-serif fonts. It is the same for
    // every text, so that neighbouring texts have a common baseline.
    let capitals = 0.73 * font.size
    let down =
      switch vertical {
      case .top: capitals
      case .middle: capitals / 2
      case .baseline: 0.0
      }
    cairo_save(context)
    cairo_translate(context, place.x, place.y)
    if upwards { cairo_rotate(context, -.pi / 2) }
    use(color)
    cairo_move_to(context, left, down)
    cairo_show_text(context, text)
    cairo_restore(context)
    // The current point stays after a restore and would become part of the next path.
    cairo_new_path(context)
  }
}

/// Collects the bytes that cairo writes.
private final class ByteSink {
  var bytes: [UInt8] = []
}

private func appendBytes(
  closure: UnsafeMutableRawPointer?, data: UnsafePointer<UInt8>?, length: UInt32
) -> cairo_status_t {
  guard let closure else { return CAIRO_STATUS_WRITE_ERROR }
  Unmanaged<ByteSink>.fromOpaque(closure).takeUnretainedValue().bytes
    .append(contentsOf: UnsafeBufferPointer(start: data, count: Int(length)))
  return CAIRO_STATUS_SUCCESS
}
