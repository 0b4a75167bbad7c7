/// A plot of losses and other quantities over the steps of a training run.
public struct TrainingCurve: Plot {
  /// One series per quantity, such as "training" and "held out"; x is the step.
  public var series: [Series]
  /// Values to compare with, such as the NLL of a full-covariance Gaussian.
  public var references: [ReferenceLine]
  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var xScale: AxisScale
  public var yScale: AxisScale
  /// The range of the y axis; nil covers all values.
  public var yLimits: ClosedRange<Double>?
  /// The distance, in steps, at which the weight of a point halves in the smoothed line. Each series is then pale, and
  /// its smoothed line is drawn over it. 0 draws the series only.
  public var smoothing: Double
  public var size: Size

  public init(
    series: [Series], references: [ReferenceLine] = [], title: String = "", xLabel: String = "step",
    yLabel: String = "loss (nats)", xScale: AxisScale = .linear, yScale: AxisScale = .linear,
    yLimits: ClosedRange<Double>? = nil, smoothing: Double = 0, size: Size = Size(width: 640, height: 400)
  ) {
    precondition(smoothing >= 0, "smoothing is \(smoothing) steps, must not be negative")
    self.series = series
    self.references = references
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.xScale = xScale
    self.yScale = yScale
    self.yLimits = yLimits
    self.smoothing = smoothing
    self.size = size
  }

  public func draw(on canvas: borrowing Canvas) {
    LinePlot(
      series: lines, references: references, title: title, xLabel: xLabel, yLabel: yLabel, xScale: xScale,
      yScale: yScale, yLimits: yLimits, size: size
    ).draw(on: canvas)
  }

  /// The series; with smoothing, the pale series without names and then the smoothed lines.
  private var lines: [Series] {
    guard smoothing > 0 else { return series }
    let strokes = series.indices.map { series[$0].stroke ?? Theme.stroke(ofSeries: $0) }
    let pale = zip(series, strokes).map { series, stroke in
      Series(name: "", points: series.points, stroke: Stroke(color: stroke.color.with(alpha: 0.25), width: 1))
    }
    let averages = zip(series, strokes).map { series, stroke in
      Series(name: series.name, points: series.smoothed(halfLife: smoothing), stroke: stroke)
    }
    return pale + averages
  }
}
