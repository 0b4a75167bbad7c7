import CCairo

@testable import FlowPlots

/// A PNG that cairo has decoded, so that tests can check single pixels.
struct DecodedPNG {
  let width: Int
  let height: Int
  /// `[height][width]`, each `0xAARRGGBB`.
  let pixels: [UInt32]

  /// Nil if cairo cannot read the bytes.
  init?(_ bytes: [UInt8]) {
    final class Source {
      var rest: ArraySlice<UInt8>
      init(_ bytes: [UInt8]) { rest = bytes[...] }
    }
    let source = Source(bytes)
    let surface = cairo_image_surface_create_from_png_stream(
      { closure, data, length in
        let source = Unmanaged<Source>.fromOpaque(closure!).takeUnretainedValue()
        guard source.rest.count >= Int(length) else { return CAIRO_STATUS_READ_ERROR }
        data!.update(from: Array(source.rest.prefix(Int(length))), count: Int(length))
        source.rest = source.rest.dropFirst(Int(length))
        return CAIRO_STATUS_SUCCESS
      }, Unmanaged.passUnretained(source).toOpaque())
    defer { cairo_surface_destroy(surface) }
    guard cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS, let data = cairo_image_surface_get_data(surface) else {
      return nil
    }
    let (width, height) = (Int(cairo_image_surface_get_width(surface)), Int(cairo_image_surface_get_height(surface)))
    (self.width, self.height) = (width, height)
    let stride = Int(cairo_image_surface_get_stride(surface))
    let opaque: UInt32 = cairo_image_surface_get_format(surface) == CAIRO_FORMAT_RGB24 ? 0xFF00_0000 : 0
    pixels = (0..<height).flatMap { row in
      UnsafeRawBufferPointer(start: data + row * stride, count: 4 * width).bindMemory(to: UInt32.self).map {
        $0 | opaque
      }
    }
  }

  /// The pixel at a position of the canvas, given in points.
  func pixel(at place: Point) -> UInt32 {
    let (x, y) = (Int(place.x * Canvas.pixelsPerPoint), Int(place.y * Canvas.pixelsPerPoint))
    return pixels[y * width + x]
  }

  /// The number of pixels with exactly this colour.
  func count(of color: Color) -> Int { pixels.count { $0 == color.pixel } }
}
