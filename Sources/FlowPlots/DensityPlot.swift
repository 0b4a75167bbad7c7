/// Data, samples of the model and the density of the model, side by side over the same rectangle of the plane.
public struct DensityPlot: Plot {
  /// The points of the data.
  public var data: [Point]
  /// The samples of the model.
  public var samples: [Point]
  /// The density of the model. All three panels show its rectangle.
  public var density: DensityGrid
  /// The values at the ends of the colormap. nil means 0 to the highest density, or the upper eight nats of
  /// log-densities.
  public var colorLimits: ClosedRange<Double>?
  public var colormap: Colormap
  public var title: String
  /// The names of the two coordinates.
  public var xLabel: String
  public var yLabel: String

  private static let panelWidth = 280.0
  private static let gap = 30.0
  private static let leftMargin = 62.0
  /// The width of the colour bar with its labels and the margin, to the right of the last panel.
  private static let rightMargin = 100.0
  private static let panelTitle = 26.0

  /// - Parameters:
  ///   - data: the points of the data, `[count][2]`. Points outside the rectangle of `density` are not shown.
  ///   - samples: the samples of the model, `[count][2]`.
  public init(
    data: [Double], samples: [Double], density: DensityGrid, colorLimits: ClosedRange<Double>? = nil,
    colormap: Colormap = .viridis, title: String = "", xLabel: String = "", yLabel: String = ""
  ) {
    precondition(data.count % 2 == 0, "data has \(data.count) numbers, must be an even number: two per point")
    precondition(samples.count % 2 == 0, "samples has \(samples.count) numbers, must be an even number: two per point")
    self.data = Point.rows(of: data)
    self.samples = Point.rows(of: samples)
    self.density = density
    self.colorLimits = colorLimits
    self.colormap = colormap
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
  }

  public var size: Size {
    Size(
      width: DensityPlot.leftMargin + 3 * DensityPlot.panelWidth + 2 * DensityPlot.gap + DensityPlot.rightMargin,
      height: top + panelHeight + Axes.tickRow + (xLabel.isEmpty ? 0 : Axes.labelRow) + Theme.margin)
  }

  private var top: Double {
    Theme.margin + (title.isEmpty ? 0 : 26) + DensityPlot.panelTitle
  }

  /// The height at which one unit has the same length along x and y, unless that would make panels too flat or tall.
  private var panelHeight: Double {
    let (across, up) = (density.x.upperBound - density.x.lowerBound, density.y.upperBound - density.y.lowerBound)
    let ratio = up / across
    return DensityPlot.panelWidth * (ratio.isFinite && (0.4...2).contains(ratio) ? ratio : 1)
  }

  public func draw(on canvas: borrowing Canvas) {
    let frames = (0..<3).map { index in
      Rectangle(
        x: DensityPlot.leftMargin + Double(index) * (DensityPlot.panelWidth + DensityPlot.gap), y: top,
        width: DensityPlot.panelWidth, height: panelHeight)
    }
    canvas.text(
      canvas.shortened(title, font: Theme.titleFont, width: frames[2].right - frames[0].x),
      at: Point(x: frames[0].x, y: Theme.margin), font: Theme.titleFont, color: Theme.text, vertical: .top)
    let range = colorLimits ?? density.shownRange
    let map = HeatMap(grid: density, colormap: colormap, values: Axis(label: densityLabel, limits: range))
    var axes = frames.map {
      Axes(x: Axis(label: xLabel, limits: density.x), y: Axis(label: yLabel, limits: density.y), frame: $0)
    }
    axes[1].labelsY = false
    axes[2].labelsY = false
    axes[0].draw(on: canvas) { axes[0].drawScatter(data, color: Theme.data, on: $0) }
    axes[1].draw(on: canvas) { axes[1].drawScatter(samples, color: Theme.model, on: $0) }
    axes[2].draw(on: canvas) { map.draw(in: frames[2], on: $0) }
    if density.values.allSatisfy(\.isNaN) { axes[2].drawNothing(on: canvas) }
    map.drawBar(rightOf: frames[2], on: canvas)
    for (frame, name) in zip(frames, ["data", "model samples", "model density"]) {
      canvas.text(
        name, at: Point(x: frame.center.x, y: frame.y - 10), font: Theme.panelFont, color: Theme.text,
        horizontal: .center)
    }
  }

  private var densityLabel: String {
    switch density.quantity {
    case .density: "p(x)"
    case .logDensity: "log p(x)"
    }
  }
}
