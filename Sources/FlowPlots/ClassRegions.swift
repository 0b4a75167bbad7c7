/// A plot of a classifier in the plane: the class probabilities as colours, and labelled points on top.
public struct ClassRegions: Plot {
  /// The class probabilities `[rows][columns][classes]` at the centres `DensityGrid.centers(rows:columns:x:y:)`. Row 0
  /// is at the lower bound of y. A cell with NaN is shown as unknown.
  public let probabilities: [Double]
  public let rows: Int
  public let columns: Int
  public let classes: Int
  public let x: ClosedRange<Double>
  public let y: ClosedRange<Double>
  /// The labelled points `[count][2]`. Points outside the rectangle are not shown.
  public var points: [Double]
  /// The class of each point, `[count]`, from 0.
  public var labels: [Int]
  public var title: String

  private static let panelWidth = 320.0
  private static let leftMargin = 62.0
  /// The strength of a class's colour where its probability is 1. It is pale so that points stand out.
  private static let colorStrength = 0.4

  public init(
    probabilities: [Double], rows: Int, columns: Int, classes: Int, x: ClosedRange<Double>, y: ClosedRange<Double>,
    points: [Double] = [], labels: [Int] = [], title: String = ""
  ) {
    precondition(
      rows > 0 && columns > 0 && classes > 0,
      "a grid has \(rows)×\(columns) cells and \(classes) classes, must be at least 1 each")
    precondition(
      probabilities.count == rows * columns * classes,
      "\(probabilities.count) probabilities do not make a grid of \(rows)×\(columns) cells and \(classes) classes")
    precondition(
      points.count == 2 * labels.count,
      "\(points.count) coordinates do not make a point for each of \(labels.count) labels")
    self.probabilities = probabilities
    self.rows = rows
    self.columns = columns
    self.classes = classes
    self.x = x
    self.y = y
    self.points = points
    self.labels = labels
    self.title = title
  }

  public var size: Size {
    Size(
      width: Self.leftMargin + Self.panelWidth + Theme.margin, height: top + panelHeight + Axes.tickRow + Theme.margin)
  }

  private var top: Double { Theme.margin + (title.isEmpty ? 0 : 26) }

  /// The height at which one unit has the same length along x and y, unless that would make the panel too flat or tall.
  private var panelHeight: Double {
    let ratio = (y.upperBound - y.lowerBound) / (x.upperBound - x.lowerBound)
    return Self.panelWidth * (ratio.isFinite && (0.4...2).contains(ratio) ? ratio : 1)
  }

  public func draw(on canvas: borrowing Canvas) {
    let frame = Rectangle(x: Self.leftMargin, y: top, width: Self.panelWidth, height: panelHeight)
    canvas.text(
      canvas.shortened(title, font: Theme.titleFont, width: frame.width), at: Point(x: frame.x, y: Theme.margin),
      font: Theme.titleFont, color: Theme.text, vertical: .top)
    let axes = Axes(x: Axis(limits: x), y: Axis(limits: y), frame: frame)
    let places = Point.rows(of: points)
    axes.draw(on: canvas) { canvas in
      canvas.draw(regions, in: frame, smooth: false)
      for number in 0..<classes {
        let own = places.indices.filter { labels[$0] == number }.map { places[$0] }
        let dot = Theme.dot(count: places.count, color: Self.color(of: number))
        canvas.dots(axes.places(of: own, reach: dot.radius), radius: dot.radius, color: dot.color, within: frame)
      }
    }
  }

  /// One pixel per cell, row by row from the top: the colours of the classes, mixed by probability, on white.
  private var regions: PixelImage {
    var image = PixelImage(width: columns, height: rows, color: Theme.missing)
    for row in 0..<rows {
      for column in 0..<columns {
        let first = ((rows - 1 - row) * columns + column) * classes
        let cell = probabilities[first..<first + classes]
        guard cell.allSatisfy({ $0.isFinite }) else { continue }
        image.pixels[row * columns + column] = Self.mixed(cell).pixel
      }
    }
    return image
  }

  private static func mixed(_ probabilities: ArraySlice<Double>) -> Color {
    var (red, green, blue) = (1.0, 1.0, 1.0)
    for (number, probability) in probabilities.enumerated() {
      let color = color(of: number)
      red += probability * colorStrength * (color.red - 1)
      green += probability * colorStrength * (color.green - 1)
      blue += probability * colorStrength * (color.blue - 1)
    }
    return Color(red: red, green: green, blue: blue)
  }

  /// The colour of a class: the palette without its black, which is unsuitable for mixing.
  static func color(of number: Int) -> Color { Theme.palette[number % (Theme.palette.count - 1)] }
}
