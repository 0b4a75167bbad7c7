/// The legend above a plot: rows of names, each after a short piece of its line.
struct Legend {
  var entries: [(name: String, stroke: Stroke)]
  /// The largest width of a row, in points.
  var width: Double

  private static let row = 18.0
  private static let lineLength = 22.0
  private static let gap = 20.0
  private static let widestName = 220.0

  /// The height including the space below; 0 without entries.
  func height(on canvas: borrowing Canvas) -> Double {
    entries.isEmpty ? 0 : Double(offsets(on: canvas).rows) * Legend.row + 6
  }

  func draw(at corner: Point, on canvas: borrowing Canvas) {
    for (entry, offset) in zip(entries, offsets(on: canvas).places) {
      let left = corner.x + offset.x
      let middle = corner.y + offset.y + Legend.row / 2 - 3
      canvas.line(
        from: Point(x: left, y: middle), to: Point(x: left + Legend.lineLength, y: middle), stroke: entry.stroke)
      canvas.text(
        name(entry.name, on: canvas), at: Point(x: left + Legend.lineLength + 6, y: middle), font: Theme.labelFont,
        color: Theme.text, vertical: .middle)
    }
  }

  private func name(_ name: String, on canvas: borrowing Canvas) -> String {
    canvas.shortened(name, font: Theme.labelFont, width: min(Legend.widestName, width))
  }

  private func offsets(on canvas: borrowing Canvas) -> (places: [Point], rows: Int) {
    var places: [Point] = []
    var (x, row) = (0.0, 0)
    for entry in entries {
      let length = Legend.lineLength + 6 + canvas.width(of: name(entry.name, on: canvas), font: Theme.labelFont)
      if x > 0, x + length > width { (x, row) = (0, row + 1) }
      places.append(Point(x: x, y: Double(row) * Legend.row))
      x += length + Legend.gap
    }
    return (places, row + 1)
  }
}
