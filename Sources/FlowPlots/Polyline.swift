/// A line through data points in coordinates of the canvas, without the parts that cannot be seen.
struct Polyline {
  /// Open lines of two or more points.
  private(set) var lines: [[Point]] = []
  /// Points without a neighbour to draw a line to.
  private(set) var dots: [Point] = []

  /// Lines are clipped at this distance from the frame, because cairo's 24.8 fixed-point coordinates would overflow.
  private static let reach = 50.0

  /// - Parameter points: in the units of `axes`. A point that the axes cannot show makes a gap.
  init(_ points: [Point], in axes: Axes) {
    var run: [Point] = []
    for point in points {
      if let place = axes.place(of: point) {
        run.append(place)
      } else {
        add(run, frame: axes.frame)
        run.removeAll(keepingCapacity: true)
      }
    }
    add(run, frame: axes.frame)
  }

  private mutating func add(_ run: [Point], frame: Rectangle) {
    if run.count == 1 { return dots.append(run[0]) }
    let bounds = Rectangle(
      x: frame.x - Polyline.reach, y: frame.y - Polyline.reach, width: frame.width + 2 * Polyline.reach,
      height: frame.height + 2 * Polyline.reach)
    let thinned = Polyline.thinned(run)
    var line: [Point] = []
    for (start, end) in zip(thinned, thinned.dropFirst()) {
      guard let (from, to) = Polyline.clip(start, end, to: bounds) else { continue }
      if line.last != from {
        if !line.isEmpty { lines.append(line) }
        line = [from]
      }
      line.append(to)
    }
    if !line.isEmpty { lines.append(line) }
  }

  /// Of consecutive points in the same column of a quarter point width, keeps the first, lowest, highest and last.
  ///
  /// The pixels stay the same, and the number of points is bounded for a series of any length.
  private static func thinned(_ run: [Point]) -> [Point] {
    var result: [Point] = []
    var start = 0
    while start < run.count {
      let column = (run[start].x * 4).rounded(.down)
      var end = start + 1
      while end < run.count, (run[end].x * 4).rounded(.down) == column { end += 1 }
      if end - start <= 4 {
        result += run[start..<end]
      } else {
        let low = (start..<end).min { run[$0].y < run[$1].y }!
        let high = (start..<end).max { run[$0].y < run[$1].y }!
        result += [start, min(low, high), max(low, high), end - 1].map { run[$0] }
      }
      start = end
    }
    return result
  }

  /// The part of a segment inside `bounds`, by Liang and Barsky (1984); nil if there is none.
  private static func clip(_ start: Point, _ end: Point, to bounds: Rectangle) -> (Point, Point)? {
    let (dx, dy) = (end.x - start.x, end.y - start.y)
    var (enter, leave) = (0.0, 1.0)
    for (towards, distance) in [
      (-dx, start.x - bounds.x), (dx, bounds.right - start.x), (-dy, start.y - bounds.y), (dy, bounds.bottom - start.y),
    ] {
      if towards == 0 {
        if distance < 0 { return nil }
      } else if towards < 0 {
        enter = max(enter, distance / towards)
      } else {
        leave = min(leave, distance / towards)
      }
    }
    guard enter <= leave else { return nil }
    return (
      enter == 0 ? start : Point(x: start.x + enter * dx, y: start.y + enter * dy),
      leave == 1 ? end : Point(x: start.x + leave * dx, y: start.y + leave * dy)
    )
  }
}
