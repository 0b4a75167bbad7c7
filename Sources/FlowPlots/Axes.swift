/// A pair of axes around a frame on the canvas. It maps data to canvas coordinates, and draws the grid and the labels.
public struct Axes: Sendable {
  public var x: Axis
  public var y: Axis
  /// The rectangle on the canvas that the limits of both axes map to.
  public var frame: Rectangle
  /// Whether the y axis has labels. Only the leftmost of several panels that share a y axis needs them.
  public var labelsY = true

  /// The height of the row of tick labels below the frame, and that of the row of the axis label and the note.
  static let tickRow = 20.0
  static let labelRow = 18.0

  public init(x: Axis, y: Axis, frame: Rectangle) {
    self.x = x
    self.y = y
    self.frame = frame
  }

  /// Axes whose frame, tick labels and axis labels together fill `outer`.
  public init(x: Axis, y: Axis, filling outer: Rectangle, on canvas: borrowing Canvas) {
    self.init(x: x, y: y, frame: outer)
    frame.height = max(outer.height - Axes.tickRow - Axes.labelRow, 1)
    let ticks = yTicks()
    if !ticks.note.isEmpty {
      frame.y += Axes.labelRow
      frame.height = max(frame.height - Axes.labelRow, 1)
    }
    let left = Axes.leftMargin(y, ticks: ticks, on: canvas)
    frame.x += left
    frame.width = max(frame.width - left, 1)
  }

  /// The width that the labels of `axis` need to the left of the frame.
  static func leftMargin(_ axis: Axis, ticks: Ticks, on canvas: borrowing Canvas) -> Double {
    var widest = 0.0
    for label in ticks.labels { widest = max(widest, canvas.width(of: label, font: Theme.tickFont)) }
    return widest + 8 + (axis.label.isEmpty ? 0 : 22)
  }

  /// The position of the data `point` on the canvas, which may be outside the frame. It is nil for NaN and ±∞, and for
  /// values that are not positive on a logarithmic axis.
  public func place(of point: Point) -> Point? {
    guard let across = x.fraction(of: point.x), let up = y.fraction(of: point.y) else { return nil }
    return Point(x: frame.x + across * frame.width, y: frame.bottom - up * frame.height)
  }

  /// The positions of those `points` that are in the frame or at most `reach` outside it.
  public func places(of points: [Point], reach: Double = 0) -> [Point] {
    points.compactMap { point in
      guard let place = place(of: point),
        place.x >= frame.x - reach, place.x <= frame.right + reach,
        place.y >= frame.y - reach, place.y <= frame.bottom + reach
      else { return nil }
      return place
    }
  }

  // MARK: Ticks

  /// The finest ticks of the y axis whose labels do not overlap.
  func yTicks() -> Ticks { Axes.ticks(of: y, height: frame.height) }

  /// The finest ticks of a vertical axis: 34 points apart on average, and never closer than a line of text.
  static func ticks(of axis: Axis, height: Double) -> Ticks {
    var maximum = min(max(Int(height / 34), 2), 8)
    while true {
      let ticks = Ticks(limits: axis.limits, scale: axis.scale, maximum: maximum)
      let places = ticks.values.compactMap { axis.fraction(of: $0) }.map { $0 * height }
      let clear = zip(places, places.dropFirst()).allSatisfy { $1 - $0 >= 1.4 * Theme.tickFont.size }
      if maximum == 2 || clear { return ticks }
      maximum -= 1
    }
  }

  /// The finest ticks of the x axis whose labels do not overlap.
  func xTicks(on canvas: borrowing Canvas) -> Ticks {
    var maximum = min(max(Int(frame.width / 45), 2), 9)
    while true {
      let ticks = Ticks(limits: x.limits, scale: x.scale, maximum: maximum)
      if maximum == 2 || labelsAreClear(ticks, on: canvas) { return ticks }
      maximum -= 1
    }
  }

  private func labelsAreClear(_ ticks: Ticks, on canvas: borrowing Canvas) -> Bool {
    var end = -Double.infinity
    for (value, label) in zip(ticks.values, ticks.labels) {
      guard let fraction = x.fraction(of: value) else { continue }
      let half = canvas.width(of: label, font: Theme.tickFont) / 2
      if fraction * frame.width - half < end + 10 { return false }
      end = fraction * frame.width + half
    }
    return true
  }

  // MARK: Drawing

  /// Draws the grid, then `content` clipped to the frame, then the frame with all labels.
  public func draw(on canvas: borrowing Canvas, content: (borrowing Canvas) -> Void) {
    let (across, up) = (xTicks(on: canvas), yTicks())
    drawGrid(across.minor, up.minor, color: Theme.minorGrid, on: canvas)
    drawGrid(across.values, up.values, color: Theme.grid, on: canvas)
    canvas.clipped(to: frame, content)
    canvas.outline(frame, stroke: Stroke(color: Theme.frame, width: Theme.hairline))
    drawXLabels(across, on: canvas)
    if labelsY { drawYLabels(up, on: canvas) }
  }

  private func drawGrid(_ across: [Double], _ up: [Double], color: Color, on canvas: borrowing Canvas) {
    let stroke = Stroke(color: color, width: Theme.hairline)
    for fraction in across.compactMap({ x.fraction(of: $0) }) {
      let place = frame.x + fraction * frame.width
      canvas.line(from: Point(x: place, y: frame.y), to: Point(x: place, y: frame.bottom), stroke: stroke)
    }
    for fraction in up.compactMap({ y.fraction(of: $0) }) {
      let place = frame.bottom - fraction * frame.height
      canvas.line(from: Point(x: frame.x, y: place), to: Point(x: frame.right, y: place), stroke: stroke)
    }
  }

  private func drawXLabels(_ ticks: Ticks, on canvas: borrowing Canvas) {
    let mark = Stroke(color: Theme.frame, width: Theme.hairline)
    for (value, label) in zip(ticks.values, ticks.labels) {
      guard let fraction = x.fraction(of: value) else { continue }
      let place = Point(x: frame.x + fraction * frame.width, y: frame.bottom)
      canvas.line(from: place, to: Point(x: place.x, y: place.y + 3), stroke: mark)
      canvas.text(
        label, at: Point(x: place.x, y: place.y + 7), font: Theme.tickFont, color: Theme.text, horizontal: .center,
        vertical: .top)
    }
    let row = frame.bottom + Axes.tickRow + 4
    canvas.text(
      x.label, at: Point(x: frame.center.x, y: row), font: Theme.labelFont, color: Theme.text, horizontal: .center,
      vertical: .top)
    canvas.text(
      ticks.note, at: Point(x: frame.right, y: row), font: Theme.tickFont, color: Theme.faintText, horizontal: .right,
      vertical: .top)
  }

  private func drawYLabels(_ ticks: Ticks, on canvas: borrowing Canvas) {
    let mark = Stroke(color: Theme.frame, width: Theme.hairline)
    for (value, label) in zip(ticks.values, ticks.labels) {
      guard let fraction = y.fraction(of: value) else { continue }
      let place = Point(x: frame.x, y: frame.bottom - fraction * frame.height)
      canvas.line(from: Point(x: place.x - 3, y: place.y), to: place, stroke: mark)
      canvas.text(
        label, at: Point(x: place.x - 7, y: place.y), font: Theme.tickFont, color: Theme.text, horizontal: .right,
        vertical: .middle)
    }
    let left = frame.x - Axes.leftMargin(y, ticks: ticks, on: canvas)
    canvas.text(
      y.label, at: Point(x: left + 5, y: frame.center.y), font: Theme.labelFont, color: Theme.text,
      horizontal: .center, vertical: .middle, upwards: true)
    canvas.text(ticks.note, at: Point(x: frame.x, y: frame.y - 6), font: Theme.tickFont, color: Theme.faintText)
  }

  /// Writes "no data" into the middle of the frame.
  func drawNothing(on canvas: borrowing Canvas) {
    canvas.text(
      "no data", at: frame.center, font: Theme.labelFont, color: Theme.faintText, horizontal: .center,
      vertical: .middle)
  }

  /// Draws a dot for each of `points` that is in the frame. The more points, the smaller and fainter the dots.
  func drawScatter(_ points: [Point], color: Color, on canvas: borrowing Canvas) {
    let dot = Theme.dot(count: points.count, color: color)
    let places = places(of: points, reach: dot.radius)
    if places.isEmpty { drawNothing(on: canvas) }
    canvas.dots(places, radius: dot.radius, color: dot.color, within: frame)
  }
}
