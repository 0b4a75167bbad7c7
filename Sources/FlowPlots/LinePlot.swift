/// A plot of several lines in common axes, with a legend above and labelled reference lines.
public struct LinePlot: Plot {
  public var series: [Series]
  public var references: [ReferenceLine]
  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var xScale: AxisScale
  public var yScale: AxisScale
  /// The range of the x axis; nil covers all points.
  public var xLimits: ClosedRange<Double>?
  /// The range of the y axis; nil covers all points and reference lines.
  public var yLimits: ClosedRange<Double>?
  public var size: Size

  /// The part of the width that the legend leaves free, for the labels of the y axis and the right margin.
  private static let legendIndent = 110.0
  private static let widestReference = 180.0
  /// A line with at most this number of points has a dot at each of them.
  private static let markedPoints = 20

  public init(
    series: [Series], references: [ReferenceLine] = [], title: String = "", xLabel: String = "", yLabel: String = "",
    xScale: AxisScale = .linear, yScale: AxisScale = .linear, xLimits: ClosedRange<Double>? = nil,
    yLimits: ClosedRange<Double>? = nil, size: Size = Size(width: 640, height: 400)
  ) {
    self.series = series
    self.references = references
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.xScale = xScale
    self.yScale = yScale
    self.xLimits = xLimits
    self.yLimits = yLimits
    self.size = size
  }

  public func draw(on canvas: borrowing Canvas) {
    let legend = legend
    let headline = title.isEmpty ? 0.0 : 28
    let top = Theme.margin + headline + legend.height(on: canvas)
    let right = max(rightMargin(on: canvas), 24)
    let axes = Axes(
      x: xAxis, y: yAxis,
      filling: Rectangle(
        x: Theme.margin, y: top, width: max(size.width - Theme.margin - right, 1),
        height: max(size.height - top - Theme.margin, 1)),
      on: canvas)
    canvas.text(
      canvas.shortened(title, font: Theme.titleFont, width: size.width - axes.frame.x - Theme.margin),
      at: Point(x: axes.frame.x, y: Theme.margin), font: Theme.titleFont, color: Theme.text, vertical: .top)
    legend.draw(at: Point(x: axes.frame.x, y: Theme.margin + headline), on: canvas)
    let drawn = series.map { Polyline($0.points, in: axes) }
    axes.draw(on: canvas) { canvas in
      for reference in references {
        guard let place = axes.place(of: Point(x: axes.x.limits.lowerBound, y: reference.value)) else { continue }
        guard abs(place.y) < 1e5 else { continue }
        canvas.line(
          from: place, to: Point(x: axes.frame.right, y: place.y),
          stroke: Stroke(color: Theme.faintText, width: 1, dash: [5, 3]))
      }
      for index in series.indices {
        draw(drawn[index], of: series[index], stroke: stroke(of: index), in: axes, on: canvas)
      }
    }
    if drawn.allSatisfy({ $0.lines.isEmpty && $0.dots.isEmpty }) { axes.drawNothing(on: canvas) }
    drawReferenceLabels(axes, on: canvas)
  }

  private func draw(
    _ line: Polyline, of series: Series, stroke: Stroke, in axes: Axes, on canvas: borrowing Canvas
  ) {
    canvas.lines(line.lines, stroke: stroke)
    let marks = series.points.count <= LinePlot.markedPoints ? axes.places(of: series.points, reach: 3) : line.dots
    canvas.dots(
      marks.filter { abs($0.x) < 1e5 && abs($0.y) < 1e5 }, radius: stroke.width * 1.4, color: stroke.color)
  }

  private func stroke(of index: Int) -> Stroke {
    series[index].stroke ?? Theme.stroke(ofSeries: index)
  }

  private var legend: Legend {
    Legend(
      entries: series.indices.filter { !series[$0].name.isEmpty }.map { (series[$0].name, stroke(of: $0)) },
      width: size.width - LinePlot.legendIndent)
  }

  // MARK: Axes

  private var xAxis: Axis {
    if let xLimits { return Axis(label: xLabel, limits: xLimits, scale: xScale) }
    return Axis(label: xLabel, covering: series.lazy.flatMap { $0.points.lazy.map(\.x) }, scale: xScale, padding: 0.02)
  }

  private var yAxis: Axis {
    if let yLimits { return Axis(label: yLabel, limits: yLimits, scale: yScale) }
    let values = series.flatMap { $0.points.map(\.y) } + references.map(\.value)
    return Axis(label: yLabel, covering: values, scale: yScale)
  }

  // MARK: Reference lines

  private func rightMargin(on canvas: borrowing Canvas) -> Double {
    var widest = 0.0
    for reference in references where reference.value.isFinite {
      widest = max(widest, canvas.width(of: reference.label, font: Theme.tickFont))
    }
    return widest == 0 ? 0 : min(widest, LinePlot.widestReference) + 6 + Theme.margin
  }

  /// Writes each label at the height of its line, or as close to it as the other labels allow.
  private func drawReferenceLabels(_ axes: Axes, on canvas: borrowing Canvas) {
    let distance = 14.0
    var labels: [(text: String, y: Double)] = []
    for reference in references {
      let place = axes.place(of: Point(x: axes.x.limits.lowerBound, y: reference.value))
      guard let place, place.y >= axes.frame.y - 1, place.y <= axes.frame.bottom + 1 else { continue }
      labels.append((reference.label, place.y))
    }
    labels.sort { $0.y < $1.y }
    // The first pass moves labels down until they do not overlap. The second pass moves labels that are now below the
    // frame up again.
    for index in labels.indices.dropFirst() { labels[index].y = max(labels[index].y, labels[index - 1].y + distance) }
    var floor = axes.frame.bottom
    for index in labels.indices.reversed() {
      labels[index].y = min(labels[index].y, floor)
      floor = labels[index].y - distance
    }
    for label in labels {
      canvas.text(
        canvas.shortened(label.text, font: Theme.tickFont, width: LinePlot.widestReference),
        at: Point(x: axes.frame.right + 6, y: label.y), font: Theme.tickFont, color: Theme.faintText, vertical: .middle)
    }
  }
}
