/// A grid of values as colours, with a colour bar.
struct HeatMap {
  var grid: DensityGrid
  var colormap: Colormap
  /// The axis of the colour bar. Its limits are the values at the ends of the colormap.
  var values: Axis

  static let barGap = 14.0
  static let barWidth = 12.0

  /// Draws the grid so that its edges are those of `rectangle`.
  func draw(in rectangle: Rectangle, on canvas: borrowing Canvas) {
    guard grid.rows > 0, grid.columns > 0 else { return canvas.fill(rectangle, color: Theme.missing) }
    // Values are interpolated, not colours, so that every pixel has a colour of the colormap.
    let width = max(Int(rectangle.width * Canvas.pixelsPerPoint), 1)
    let height = max(Int(rectangle.height * Canvas.pixelsPerPoint), 1)
    var image = PixelImage(width: width, height: height, color: Theme.missing)
    for row in 0..<height {
      let up = 1 - (Double(row) + 0.5) / Double(height)
      for column in 0..<width {
        let value = grid.value(across: (Double(column) + 0.5) / Double(width), up: up)
        if !value.isNaN { image.pixels[row * width + column] = color(of: value).pixel }
      }
    }
    canvas.draw(image, in: rectangle, smooth: true)
  }

  private func color(of value: Double) -> Color {
    let (low, high) = (values.limits.lowerBound, values.limits.upperBound)
    return colormap.color(at: (min(max(value, low), high) - low) / (high - low))
  }

  /// Draws the colour bar to the right of `rectangle`, with the same height.
  func drawBar(rightOf rectangle: Rectangle, on canvas: borrowing Canvas) {
    let bar = Rectangle(
      x: rectangle.right + HeatMap.barGap, y: rectangle.y, width: HeatMap.barWidth, height: rectangle.height)
    var image = PixelImage(width: 1, height: 256, color: Theme.missing)
    for row in 0..<256 { image.pixels[row] = colormap.color(at: 1 - Double(row) / 255).pixel }
    canvas.clipped(to: bar) { $0.draw(image, in: bar, smooth: false) }
    canvas.outline(bar, stroke: Stroke(color: Theme.frame, width: Theme.hairline))
    let ticks = ticks(height: bar.height)
    for (value, label) in zip(ticks.values, ticks.labels) {
      guard let fraction = values.fraction(of: value) else { continue }
      let place = Point(x: bar.right, y: bar.bottom - fraction * bar.height)
      canvas.line(
        from: place, to: Point(x: place.x + 3, y: place.y), stroke: Stroke(color: Theme.frame, width: Theme.hairline))
      canvas.text(
        label, at: Point(x: place.x + 7, y: place.y), font: Theme.tickFont, color: Theme.text, vertical: .middle)
    }
    canvas.text(
      ticks.note, at: Point(x: bar.x, y: bar.bottom + 9), font: Theme.tickFont, color: Theme.faintText, vertical: .top)
    canvas.text(
      values.label, at: Point(x: bar.x + barWidth(height: bar.height, on: canvas) - 7, y: bar.center.y),
      font: Theme.labelFont, color: Theme.text, horizontal: .center, vertical: .middle, upwards: true)
  }

  /// The width of the colour bar with its labels.
  func barWidth(height: Double, on canvas: borrowing Canvas) -> Double {
    var widest = 0.0
    for label in ticks(height: height).labels { widest = max(widest, canvas.width(of: label, font: Theme.tickFont)) }
    return HeatMap.barWidth + 7 + widest + 22
  }

  private func ticks(height: Double) -> Ticks { Axes.ticks(of: values, height: height) }
}
